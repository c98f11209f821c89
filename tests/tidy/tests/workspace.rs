//! The workspace as it stands keeps its own rules.
//!
//! **Invariant:** every rule of this crate is run here; one that is broken prints all its findings.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test may end at once")]

use ringfence_tidy::rooms::{self, Crate};
use ringfence_tidy::workspace::{self, Text};
use ringfence_tidy::{Finding, contract, guests, plugins, purity, text};

#[track_caller]
fn assert_none(found: &[Finding]) {
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(
        lines.is_empty(),
        "{} findings:\n{}",
        lines.len(),
        lines.join("\n")
    );
}

fn texts() -> Vec<Text> {
    workspace::texts(&workspace::root()).unwrap()
}

fn text_of(path: &str) -> String {
    std::fs::read_to_string(workspace::root().join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs a rule over every text.
#[track_caller]
fn hold(rule: fn(&str, &str) -> Vec<Finding>) {
    let found: Vec<Finding> = texts()
        .iter()
        .flat_map(|(path, text)| rule(path, text))
        .collect();
    assert_none(&found);
}

/// Runs a rule over the texts whose name is `name`.
#[track_caller]
fn hold_named(name: &str, rule: impl Fn(&str, &str) -> Vec<Finding>) {
    let texts = texts();
    let named: Vec<_> = texts
        .iter()
        .filter(|(path, _)| path.rsplit('/').next() == Some(name))
        .collect();
    assert!(!named.is_empty(), "there is no {name}");
    let found: Vec<Finding> = named
        .iter()
        .flat_map(|(path, text)| rule(path, text))
        .collect();
    assert_none(&found);
}

fn members() -> Vec<Crate> {
    rooms::crates(&workspace::metadata(&workspace::root()).unwrap()).unwrap()
}

#[test]
fn crates_use_only_their_neighbours() {
    assert_none(&rooms::edges_are_allowed(&members()));
}

#[test]
fn only_the_boundary_names_the_engine() {
    assert_none(&rooms::only_the_boundary_names_the_engine(&members()));
}

#[test]
fn core_is_pure_and_small() {
    assert_none(&rooms::core_is_small(&members()));
    hold(purity::is_pure);
}

#[test]
fn the_host_has_four_rooms() {
    let mut rooms: Vec<String> = members()
        .into_iter()
        .map(|member| member.room)
        .filter(|room| room.starts_with("host/"))
        .collect();
    rooms.sort();
    assert_eq!(
        rooms,
        ["host/cli", "host/core", "host/runner", "host/sandbox"]
    );
}

#[test]
fn every_crate_inherits_the_lints() {
    hold_named("Cargo.toml", rooms::inherits_lints);
}

#[test]
fn sources_say_what_they_do() {
    hold(text::has_header);
}

#[test]
fn long_sources_say_why() {
    hold(text::is_short);
}

#[test]
fn nothing_is_left_for_later() {
    hold(text::no_placeholders);
}

#[test]
fn unsafe_stays_in_its_places() {
    hold(text::no_unsafe);
}

#[test]
fn no_machine_shows() {
    hold(text::no_machine_paths);
}

#[test]
fn files_are_trimmed() {
    hold(text::is_trimmed);
}

#[test]
fn the_contract_can_be_spelled_everywhere() {
    assert_none(&contract::names_are_spellable(
        contract::WIT,
        &text_of(contract::WIT),
    ));
}

#[test]
fn the_changelog_knows_the_contract() {
    assert_none(&contract::fingerprint_is_current(
        &text_of(contract::WIT),
        &text_of(contract::CHANGELOG),
    ));
}

#[test]
fn every_guest_is_run_by_a_test() {
    let texts = texts();
    // A crate without a manifest is no component, but what guests share, unless it is a program.
    let folder = |(path, text): &'_ Text| {
        let is_program = || text.parse().is_ok_and(|it| plugins::is_program(&it));
        let program = path.strip_suffix("Cargo.toml").filter(|_| is_program());
        let folder = path.strip_suffix("plugin.toml").or(program)?;
        folder
            .starts_with(guests::GUESTS)
            .then(|| folder.to_owned())
    };
    let folders: Vec<String> = texts.iter().filter_map(folder).collect();
    let guests: Vec<(String, String)> = folders
        .iter()
        .map(|folder| {
            let manifest = format!("{folder}Cargo.toml");
            let name = package_name(&text_of(&manifest)).unwrap();
            (name, manifest)
        })
        .collect();
    assert!(
        !guests.is_empty(),
        "there is no guest in {}",
        guests::GUESTS
    );
    let is_rust = |(path, _): &&Text| path.ends_with(".rs");
    let sources: Vec<Text> = texts.iter().filter(is_rust).cloned().collect();
    assert_none(&guests::all_are_used(&guests, &sources));
}

fn package_name(manifest: &str) -> Option<String> {
    let manifest: toml::Table = manifest.parse().ok()?;
    Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
}

#[test]
fn plugins_say_their_roles() {
    hold_named("plugin.toml", plugins::says_its_roles);
    let tomls: Vec<String> = texts()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| path.ends_with("/plugin.toml"))
        .collect();
    hold_named("Cargo.toml", |path, text| {
        plugins::has_manifest(path, text, &tomls)
    });
}
