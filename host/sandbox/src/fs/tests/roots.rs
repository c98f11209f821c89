//! Several mounts of one call.

use std::path::Path;

use super::*;

fn mounts(paths: &[&Path], policies: [&PathPolicy; 2]) -> Result<Fs, String> {
    let mount = |(path, policy): (&&Path, &PathPolicy)| Mount {
        guest_path: path.display().to_string(),
        host_path: path.to_path_buf(),
        policy: policy.clone(),
    };
    let all: Vec<Mount> = paths.iter().zip(policies).map(mount).collect();
    let meter = Arc::new(Meter::new(Fuel(1 << 40), Bytes(1)));
    Fs::new(&all, Times::Real, false, &meter).map_err(|(_, error)| error.to_string())
}

#[test]
fn none_lies_within_another() {
    let top = tempfile::tempdir().unwrap();
    let (outer, inner, beside) = (
        top.path().join("outer"),
        top.path().join("outer/in/er"),
        top.path().join("outer-2"),
    );
    let link = top.path().join("link");
    for dir in [&inner, &beside] {
        fs::create_dir_all(dir).unwrap();
    }
    symlink(&inner, &link).unwrap();
    let new = || PathPolicy::new(&PolicySpec::default()).unwrap();
    let (one, other) = (new(), new());
    for (paths, policies, fits) in [
        ([&*outer, &*beside], [&one, &other], true),
        ([&*outer, &*outer], [&one, &one], true),
        ([&*outer, &*outer], [&one, &other], false),
        ([&*outer, &*inner], [&one, &one], false),
        ([&*inner, &*outer], [&one, &one], false),
        ([&*outer, &*link], [&one, &one], false),
        ([&*inner, &*link], [&one, &one], true),
    ] {
        let opened = mounts(&paths, policies);
        assert_eq!(opened.is_ok(), fits, "{paths:?} {:?}", opened.err());
    }
}

#[test]
fn the_same_directory_twice_is_one_tree() {
    let top = tempfile::tempdir().unwrap();
    let policy = PathPolicy::new(&PolicySpec::default()).unwrap();
    let fs = mounts(&[top.path(), top.path()], [&policy, &policy]).unwrap();
    let [(_, one), (_, other)] = fs.mounts.as_slice() else {
        panic!("two mounts")
    };
    assert!(Arc::ptr_eq(one, other));
}
