//! The manifest that the SDK stamps names the contract its bindings were generated from.

const WIT: &str = include_str!("../../../wit/beat.wit");

#[test]
fn the_stamped_contract_is_that_of_the_wit() {
    let version = WIT
        .lines()
        .find_map(|line| {
            line.strip_prefix("package ringfence:beat@")?
                .strip_suffix(';')
        })
        .unwrap();
    let stamped = ringfence_sdk::__private::MANIFEST_TAIL;
    assert!(
        stamped.contains(&format!("contract = \"{version}\"\n")),
        "{version}"
    );
}
