//! The fingerprint's vectors, and what an observation may look like.

use serde_json::{Value, json};

use super::*;
use crate::failure::FailureClass;

/// A world in short: the loop file, plugins, and each sensor's signal or failure.
#[derive(Clone)]
struct World {
    loop_file: &'static str,
    plugins: Vec<(&'static str, &'static str)>,
    sensors: Vec<(&'static str, Result<RawObservation, Failure>)>,
    answers: Vec<Value>,
}

fn saw(signal: &str, detail: &str) -> Result<RawObservation, Failure> {
    Ok(RawObservation {
        signal: signal.to_owned(),
        detail: detail.to_owned(),
        items: Vec::new(),
    })
}

fn world() -> World {
    World {
        loop_file: "loop",
        plugins: vec![("links", "one"), ("fix", "two")],
        sensors: vec![("links", saw("{\"broken\":1,\"x\":2}", "0"))],
        answers: Vec::new(),
    }
}

fn print(world: &World) -> Digest {
    let plugins: Vec<_> = world
        .plugins
        .iter()
        .map(|(step, bytes)| ((*step).to_owned(), Digest::of(bytes.as_bytes())))
        .collect();
    let sensors = world.sensors.iter().map(|(sensor, result)| SensorReading {
        sensor: StepId::new(sensor).unwrap(),
        plugin: Digest::of(b"plugin"),
        result: result.clone().and_then(|raw| {
            Observation::check(&raw)
                .map_err(|error| Failure::new(FailureClass::Contract, &error.to_string()))
        }),
    });
    fingerprint(
        &Digest::of(world.loop_file.as_bytes()),
        &plugins,
        &Snapshot {
            sensors: sensors.collect(),
        },
        &world.answers,
    )
}

/// The fingerprint of the world as it is after `edit`.
fn after(edit: impl FnOnce(&mut World)) -> Digest {
    let mut world = world();
    edit(&mut world);
    print(&world)
}

fn signal(text: &'static str) -> Digest {
    after(|world| world.sensors = vec![("links", saw(text, "0"))])
}

fn failing(class: FailureClass, message: &'static str) -> Digest {
    after(|world| world.sensors = vec![("links", Err(Failure::new(class, message)))])
}

#[test]
fn the_same_world() {
    let here = print(&world());
    assert_eq!(here, after(|_| ()));
    assert_eq!(
        here,
        after(
            |world| world.sensors = vec![("links", saw("{\"broken\":1,\"x\":2}", "{\"other\":9}"))]
        )
    );
    assert_eq!(here, signal("{\"x\":2,\"broken\":1}"));
    assert_eq!(here, signal("{\"x\":2e0,\"broken\":1.0}"));
    assert_eq!(
        failing(FailureClass::Trap, "at 0x1"),
        failing(FailureClass::Trap, "at 0x2")
    );
    assert_eq!(
        signal("NaN"),
        signal("Infinity"),
        "both are the same error of the sensor"
    );
}

#[test]
fn another_world() {
    let worlds = [
        print(&world()),
        after(|world| world.loop_file = "loop "),
        after(|world| world.plugins = vec![("links", "one"), ("fix", "2")]),
        after(|world| world.sensors.push(("more", saw("1", "0")))),
        after(|world| world.sensors.clear()),
        after(|world| world.sensors = vec![("renamed", saw("{\"broken\":1,\"x\":2}", "0"))]),
        signal("{\"broken\":2,\"x\":2}"),
        signal("{\"broken\":1}"),
        signal("{\"broken\":1,\"x\":null}"),
        signal("null"),
        signal(""),
        failing(FailureClass::Trap, ""),
        failing(FailureClass::Deadline, ""),
        signal("9007199254740992"),
        signal("9007199254740993"),
        signal("{\"a\":\"x\\n@@ b\\ny\\n\"}"),
        signal("{\"a\":\"x\\n\",\"b\":\"y\\n\"}"),
        after(|world| world.answers = vec![json!("yes")]),
        after(|world| world.answers = vec![json!("no")]),
    ];
    // An unreadable signal is the contract failure of `signal("")`.
    assert_eq!(signal(""), failing(FailureClass::Contract, "whatever"));
    let distinct: std::collections::BTreeSet<_> = worlds.iter().collect();
    assert_eq!(distinct.len(), worlds.len());
}

#[test]
fn what_changed() {
    let signals = |list: &[(&str, &str)]| -> Vec<SensorSignal> {
        list.iter()
            .map(|(sensor, text)| SensorSignal {
                sensor: StepId::new(sensor).unwrap(),
                digest: Digest::of(text.as_bytes()),
            })
            .collect()
    };
    let lines: Vec<String> = changed(
        &signals(&[("a", "1"), ("b", "1"), ("c", "1")]),
        &signals(&[("d", "1"), ("c", "1"), ("b", "2")]),
    )
    .into_iter()
    .map(|change| format!("{} {:?}", change.sensor, change.kind))
    .collect();
    assert_eq!(lines, ["a Gone", "b Changed", "d New"]);
}

fn item(id: &str) -> RawItem {
    RawItem {
        id: id.to_owned(),
        title: "A title".to_owned(),
        labels: vec!["docs".to_owned()],
        detail: "{}".to_owned(),
    }
}

fn observe(items: Vec<RawItem>) -> String {
    let raw = RawObservation {
        signal: "1".to_owned(),
        detail: "{}".to_owned(),
        items,
    };
    Observation::check(&raw).map_or_else(
        |error| error.to_string(),
        |observation| format!("{} items", observation.items.len()),
    )
}

#[test]
fn items() {
    assert_eq!(observe(vec![item("a"), item("b")]), "2 items");
    assert_eq!(
        observe((0..10_000).map(|n| item(&n.to_string())).collect()),
        "10000 items"
    );
    assert_eq!(
        observe((0..10_001).map(|n| item(&n.to_string())).collect()),
        "10001 items, the limit is 10000"
    );
    assert_eq!(
        observe(vec![item("a"), item("b"), item("a")]),
        "two items are called a"
    );
    for id in ["", ".a", "a/b", "a\\b", "a\u{7}", &"x".repeat(129)] {
        assert!(
            observe(vec![item("a"), item(id)]).starts_with("item 1: not an item id"),
            "{id:?}"
        );
    }
}

#[test]
fn labels_are_never_cut() {
    let labelled = |labels: Vec<String>| {
        observe(vec![RawItem {
            labels,
            ..item("a")
        }])
    };
    assert_eq!(labelled(vec!["x".repeat(64); 32]), "1 items");
    for labels in [
        vec!["x".to_owned(); 33],
        vec!["x".repeat(65)],
        vec![String::new()],
        vec!["a\nb".to_owned()],
    ] {
        assert_eq!(
            labelled(labels),
            "item a: at most 32 labels of 1 to 64 bytes without control characters"
        );
    }
}

#[test]
fn titles_are_cut_where_it_shows() {
    let raw = RawObservation {
        signal: "1".into(),
        detail: "1".into(),
        items: vec![RawItem {
            title: format!("a\nb{}", "x".repeat(400)),
            ..item("a")
        }],
    };
    let observation = Observation::check(&raw).unwrap();
    let title = &observation.items[0].title;
    assert!(
        title.starts_with("a bxx") && title.ends_with("… [103 more characters]"),
        "{title}"
    );
}

#[test]
fn sizes() {
    let big = format!("\"{}\"", "x".repeat(1 << 20));
    let check = |signal: &str, detail: &str| {
        Observation::check(&RawObservation {
            signal: signal.into(),
            detail: detail.into(),
            items: vec![],
        })
        .map_or_else(|error| error.to_string(), |_| "fits".into())
    };
    assert_eq!(check("1", "1"), "fits");
    assert_eq!(
        check(&big, "1"),
        "the observation's signal is 1048578 bytes of JSON, the limit is 1048576"
    );
    assert_eq!(
        check("1", &big),
        "the observation's detail is 1048578 bytes of JSON, the limit is 1048576"
    );
    assert_eq!(
        check("1", ""),
        "the observation's detail is not JSON: EOF while parsing a value at line 1 column 0"
    );
    let detail = format!("\"{}\"", "x".repeat(60_000));
    let many = (0..150)
        .map(|n| RawItem {
            detail: detail.clone(),
            ..item(&n.to_string())
        })
        .collect();
    assert_eq!(
        observe(many),
        "the details of the items have over 8388608 bytes together"
    );
    assert_eq!(
        observe(vec![RawItem {
            detail: big,
            ..item("a")
        }]),
        "item a: the detail is 1048578 bytes of JSON, the limit is 65536"
    );
}
