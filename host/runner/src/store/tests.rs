//! The private store: its own configuration, and bytes that go in and out as they are.

use std::fs;

use super::*;
use crate::fixture::{Rig, gits};
use crate::workspace::BaseFrom;

#[test]
fn is_set_up_again_when_it_is_not_to_be_trusted() {
    for program in gits() {
        let rig = Rig::repository(&program);
        let opened = rig.open();
        let base = opened.prepare();
        let path = opened.ws.dir().store();
        assert_eq!(opened.ws.origin(), Origin::Ours);
        drop(opened);

        fs::write(
            path.join("config"),
            "[core]\n\tfsmonitor = false\n[filter \"x\"]\n\tclean = false\n",
        )
        .unwrap();
        fs::write(path.join("info/attributes"), "* text=auto\n").unwrap();
        let opened = rig.open();
        assert_eq!(opened.ws.origin(), Origin::Ours);
        assert_eq!(
            fs::read_to_string(path.join("info/attributes")).unwrap(),
            ATTRIBUTES
        );
        assert!(
            !fs::read_to_string(path.join("config"))
                .unwrap()
                .contains("filter")
        );
        drop(opened);

        // What an earlier boot left may never have reached the disk.
        fs::write(path.join(BOOT), "sha1 another boot").unwrap();
        fs::write(path.join("objects/mark"), "").unwrap();
        let opened = rig.open();
        assert!(!path.join("objects/mark").exists());
        assert!(!opened.ws.dir().base().exists());
        assert_eq!(
            opened
                .ws
                .prepare(BaseFrom::Head, &crate::steps::NoSteps)
                .unwrap(),
            base
        );
    }
}

#[test]
fn answers_about_objects() {
    for program in gits() {
        let rig = Rig::repository(&program);
        let opened = rig.open();
        let store = opened.ws.store();
        let blob = rig.git(&["rev-parse", "HEAD:docs/deep/er/x.md"]);
        let absent = "1".repeat(40);
        assert_eq!(store.sizes(&[&blob, &absent]).unwrap(), [Some(2), None]);
        assert_eq!(
            store.missing(&[&blob, &absent]).unwrap(),
            Some(absent.clone())
        );
        assert_eq!(store.commit(&absent).unwrap(), None);
        assert!(store.commit(&blob).is_err());
        assert_eq!(store.blob(&blob, 2).unwrap(), b"x\n");
        assert!(store.blob(&blob, 1).is_err());
        for odd in ["HEAD", "--help", "", "x\nHEAD"] {
            assert!(store.blob(odd, 10).is_err());
            assert!(store.sizes(&[odd]).is_err());
        }
        let head = rig.git(&["rev-parse", "HEAD"]);
        let commit = store.commit(&head).unwrap().unwrap();
        assert_eq!(commit.tree, rig.git(&["rev-parse", "HEAD^{tree}"]));
        assert_eq!(commit.time.unwrap().as_second(), 1_700_000_000);
    }
}

#[test]
fn leftovers_of_a_killed_git_are_swept() {
    let rig = Rig::repository(&gits()[0]);
    let opened = rig.open();
    let store = opened.ws.dir().store();
    fs::create_dir_all(store.join("objects/ab")).unwrap();
    for name in [
        "config.lock",
        "objects/ab/tmp_obj_x",
        "objects/pack/tmp_pack_x",
        "refs/heads/x.lock",
    ] {
        fs::write(store.join(name), "").unwrap();
    }
    fs::write(store.join("objects/ab/kept"), "").unwrap();
    assert_eq!(Store::sweep(opened.ws.dir()).unwrap().len(), 4);
    assert!(store.join("objects/ab/kept").exists());
    assert!(Store::sweep(opened.ws.dir()).unwrap().is_empty());
}
