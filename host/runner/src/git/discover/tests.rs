//! Projects as people have them: repositories of every kind, and folders that are none.

use std::fs;

use super::*;
use crate::fixture::{Rig, gits};

fn found(rig: &Rig, at: &Path) -> Result<PathBuf, String> {
    let project = Project::discover(&rig.program, at).map_err(|error| error.to_string())?;
    Ok(project.top().to_owned())
}

fn repo(rig: &Rig) -> UserRepo {
    rig.project().repository().unwrap().clone()
}

#[test]
fn the_nearest_repository_upwards() {
    for program in gits() {
        let rig = Rig::repository(&program);
        for at in ["", "docs", "docs/deep/er"] {
            assert_eq!(found(&rig, &rig.top.join(at)), Ok(rig.top.clone()));
        }
        let folder = Rig::folder(&program);
        assert_eq!(found(&folder, &folder.top), Ok(folder.top.clone()));
        assert!(folder.project().repository().is_none());
        assert!(
            found(&rig, &rig.top.join("nowhere"))
                .unwrap_err()
                .ends_with("nowhere cannot be read")
        );
    }
}

#[test]
fn linked_working_trees_and_submodules() {
    for program in gits() {
        let rig = Rig::repository(&program);
        rig.git(&["worktree", "add", "-q", "../linked"]);
        let linked = Project::discover(&program, &rig.top.with_file_name("linked")).unwrap();
        let linked = linked.repository().unwrap();
        assert_eq!(linked.common_dir(), rig.top.join(".git"));
        assert!(linked.git().git_dir().ends_with(".git/worktrees/linked"));
        assert_eq!(linked.head().unwrap(), repo(&rig).head().unwrap());

        let outer = Rig::repository(&program);
        outer.git(&[
            "submodule",
            "--quiet",
            "add",
            rig.top.to_str().unwrap(),
            "sub",
        ]);
        let inner = Project::discover(&program, &outer.top.join("sub/docs")).unwrap();
        assert_eq!(inner.top(), outer.top.join("sub"));
        assert!(inner.repository().unwrap().head().unwrap().commit.is_some());
    }
}

#[test]
fn repositories_without_working_files_are_refused() {
    for program in gits() {
        let rig = Rig::repository(&program);
        rig.git(&["clone", "-q", "--bare", ".", "../bare.git"]);
        let bare = rig.top.with_file_name("bare.git");
        for inside in [
            bare.clone(),
            bare.join("objects"),
            rig.top.join(".git/refs"),
        ] {
            let error = found(&rig, &inside).unwrap_err();
            assert!(
                error.ends_with(
                    "is a git repository without working files: start in a working tree"
                ),
                "{error}"
            );
        }
    }
}

#[test]
fn heads_of_every_kind() {
    for program in gits() {
        let sha1 = Rig::empty(&program, &[]);
        assert_eq!(
            repo(&sha1).head().unwrap(),
            Head {
                format: ObjectFormat::Sha1,
                commit: None
            }
        );
        let sha256 = Rig::filled(&program, &["--object-format=sha256"]);
        let head = repo(&sha256).head().unwrap();
        assert_eq!(
            (head.format, head.commit.map(|id| id.len())),
            (ObjectFormat::Sha256, Some(64))
        );

        let rig = Rig::repository(&program);
        let id = rig.git(&["rev-parse", "HEAD"]);
        rig.git(&["checkout", "-q", "--detach"]);
        assert_eq!(repo(&rig).head().unwrap().commit, Some(id.clone()));
        rig.git(&["checkout", "-q", "main"]);
        rig.git(&["pack-refs", "--all"]);
        assert_eq!(repo(&rig).head().unwrap().commit, Some(id));
        rig.git(&["checkout", "-q", "--orphan", "fresh"]);
        assert_eq!(repo(&rig).head().unwrap().commit, None);
    }
}

#[test]
fn damage_is_named() {
    let damages: [(&str, &str, &str); 5] = [
        ("HEAD", "garbage", "HEAD of the repository"),
        ("HEAD", "", "HEAD of the repository"),
        (
            "refs/heads/main",
            "zzz",
            "refs/heads/main of the repository",
        ),
        (
            "commondir",
            "nowhere",
            "the repository of this linked working tree is not there",
        ),
        ("commondir", &"x".repeat(9000), "it is far too long"),
    ];
    for program in gits() {
        for (file, text, expect) in damages {
            let rig = Rig::repository(&program);
            fs::write(rig.top.join(".git").join(file), text).unwrap();
            let head = Project::discover(&program, &rig.top)
                .and_then(|project| project.repository().unwrap().head());
            let error = head.unwrap_err().to_string();
            assert!(error.contains(expect), "{file} {text:.10}: {error}");
        }
        for (text, expect) in [
            ("gitdir: nowhere\n", "the folder it names is not there"),
            ("hello", "it does not begin with"),
            ("gitdir: docs", "there is no HEAD"),
        ] {
            let rig = Rig::folder(&program);
            fs::create_dir(rig.top.join("docs")).unwrap();
            rig.write(".git", text);
            let error = found(&rig, &rig.top).unwrap_err();
            assert!(error.contains(expect), "{text}: {error}");
        }
        let rig = Rig::folder(&program);
        fs::create_dir(rig.top.join(".git")).unwrap();
        assert!(
            found(&rig, &rig.top)
                .unwrap_err()
                .contains("there is no HEAD")
        );
    }
}

#[test]
fn borrowed_objects_are_followed_to_their_end() {
    for program in gits() {
        let rig = Rig::repository(&program);
        rig.git(&["clone", "-q", "--shared", ".", "../second"]);
        let second = rig.top.with_file_name("second");
        rig.try_git(&second, &["clone", "-q", "--shared", ".", "../third"]);
        let third = rig.top.with_file_name("third");
        let dirs = |at: &Path| {
            let project = Project::discover(&program, at).unwrap();
            project.repository().unwrap().object_dirs()
        };
        let all = [&third, &second, &rig.top].map(|top| top.join(".git/objects"));
        assert_eq!(dirs(&third).unwrap(), all);

        let alternates = third.join(".git/objects/info/alternates");
        fs::write(
            &alternates,
            "# a comment\n../../../second/.git/obj\u{65}cts\nnowhere\n",
        )
        .unwrap();
        assert_eq!(dirs(&third).unwrap(), all);
        fs::write(&alternates, "\"../../../\\163econd/.git/objects\"\n").unwrap();
        assert_eq!(dirs(&third).unwrap(), all);
        // A circle ends, and a newline that git could only quote is refused.
        fs::write(
            second.join(".git/objects/info/alternates"),
            third.join(".git/objects").to_str().unwrap(),
        )
        .unwrap();
        assert_eq!(dirs(&third).unwrap().len(), 2);
        fs::create_dir(third.join("odd\nname")).unwrap();
        fs::write(&alternates, "\"../../odd\\nname\"\n").unwrap();
        assert!(matches!(dirs(&third), Err(DiscoverError::OddPath(_))));
    }
}

#[test]
fn hooks_of_the_configuration_are_switched_off_by_name() {
    for program in gits() {
        let rig = Rig::repository(&program);
        for (key, value) in [
            ("hook.a.command", "x"),
            ("hook.a.event", "y"),
            ("hook.B = c.d.command", "z"),
            ("hookx.y", "1"),
        ] {
            rig.git(&["config", key, value]);
        }
        let git = repo(&rig).git_without_hooks().unwrap();
        let said = git
            .call("config")
            .args(["--get-regexp", "^hook\\..*enabled$"])
            .run()
            .unwrap();
        assert_eq!(
            String::from_utf8(said).unwrap(),
            "hook.B = c.d.enabled false\nhook.a.enabled false\n"
        );
    }
}

#[test]
fn a_repository_that_this_git_is_too_old_for_says_so() {
    let gits = gits();
    let newest = gits.iter().max_by_key(|git| git.version()).unwrap();
    if newest.version() >= (2, 45) {
        let rig = Rig::filled(newest, &["--ref-format=reftable"]);
        for program in &gits {
            let project = Project::discover(program, &rig.top).unwrap();
            let head = project.repository().unwrap().head();
            match program.version() < (2, 45) {
                true => assert!(head.unwrap_err().to_string().contains("refstorage")),
                false => assert!(head.unwrap().commit.is_some()),
            }
        }
    }
}
