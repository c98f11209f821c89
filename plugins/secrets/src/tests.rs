//! Credentials of every form, put together here so that no other tool finds one in this file; and what only looks like one.

use serde_json::{Value, json};

use super::*;
use crate::rules::{GENERIC, SETTINGS};

/// Something drawn by lot from `alphabet`, the same each time.
fn drawn(alphabet: &str, length: usize, seed: u64) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            letters[usize::try_from(state >> 11).unwrap() % letters.len()]
        })
        .collect()
}

const WORD: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &str = "0123456789abcdef";
const BASE32: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn word(length: usize, seed: u64) -> String {
    drawn(WORD, length, seed)
}

/// One credential for each rule.
fn samples(seed: u64) -> Vec<(&'static str, String)> {
    let w = |length| word(length, seed);
    let hex = |length| drawn(HEX, length, seed);
    vec![
        (
            "private-key",
            format!("-----BEGIN {} PRIVATE KEY-----", "RSA"),
        ),
        ("aws-access-key", format!("AKIA{}", drawn(BASE32, 16, seed))),
        ("github-token", format!("ghp_{}", w(36))),
        (
            "github-fine-grained-token",
            format!("github_pat_{}_{}", w(22), w(59)),
        ),
        ("gitlab-token", format!("glpat-{}", w(20))),
        (
            "slack-token",
            format!("xoxb-{}-{}", drawn("0123456789", 12, seed), w(24)),
        ),
        (
            "slack-webhook",
            format!(
                "https://hooks.slack.com/services/T{}/B{}/{}",
                w(8),
                w(8),
                w(24)
            ),
        ),
        ("stripe-key", format!("sk_live_{}", w(24))),
        ("google-api-key", format!("AIza{}", w(35))),
        ("google-oauth-secret", format!("GOCSPX-{}", w(28))),
        (
            "json-web-token",
            format!("eyJ{}.eyJ{}.{}", w(20), w(60), w(43)),
        ),
        ("npm-token", format!("npm_{}", w(36))),
        ("pypi-token", format!("pypi-AgEIcHlwaS5vcmc{}", w(80))),
        ("crates-io-token", format!("cio{}", w(32))),
        ("openai-key", format!("sk-proj-{}T3BlbkFJ{}", w(40), w(40))),
        ("anthropic-key", format!("sk-ant-api03-{}AA", w(93))),
        ("hugging-face-token", format!("hf_{}", w(34))),
        ("sendgrid-key", format!("SG.{}.{}", w(22), w(43))),
        ("digitalocean-token", format!("dop_v1_{}", hex(64))),
        ("shopify-token", format!("shpat_{}", hex(32))),
        (
            "telegram-token",
            format!("{}:AA{}", drawn("123456789", 9, seed), w(33)),
        ),
        ("azure-storage-key", format!("{}==", w(86))),
        ("hashicorp-vault-token", format!("hvs.{}", w(90))),
        ("docker-token", format!("dckr_pat_{}", w(27))),
        ("databricks-token", format!("dapi{}", hex(32))),
        (
            "age-secret-key",
            format!(
                "AGE-SECRET-KEY-1{}",
                drawn("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58, seed)
            ),
        ),
    ]
}

fn of(config: Value, files: Vec<TestFile>) -> Verdict {
    judge(&Context::test(config), &Change::test(files)).unwrap()
}

/// The rules that are found in one added line.
fn found(line: &str) -> Vec<String> {
    found_in("a.txt", line)
}

fn found_in(path: &str, line: &str) -> Vec<String> {
    let file = TestFile::modified(path, "a\n", format!("a\n{line}\n"));
    of(json!({}), vec![file])
        .findings
        .into_iter()
        .map(|finding| finding.rule)
        .collect()
}

#[test]
fn every_form_is_found_wherever_it_stands() {
    for seed in 1..8 {
        for (rule, secret) in samples(seed) {
            let prefix = if rule == "azure-storage-key" {
                "AccountKey="
            } else {
                ""
            };
            for line in [
                format!("{prefix}{secret}"),
                format!("key = \"{prefix}{secret}\"; // mine"),
                format!(
                    "{}, {prefix}{secret}, {}",
                    "word ".repeat(2_000),
                    "word ".repeat(2_000)
                ),
            ] {
                assert_eq!(found(&line), [rule], "{seed}: {line}");
            }
        }
    }
}

#[test]
fn what_stands_beside_hides_none() {
    for (rule, secret) in samples(3) {
        let secret = match rule {
            "azure-storage-key" => format!("AccountKey={secret}"),
            _ => secret,
        };
        for before in [
            "x\\n", "\\t", "%3D", "%3d", "\\u003d", "\\x3d", "ab", "_", "é", "7",
        ] {
            // A digit more makes another number.
            if rule == "telegram-token" && before == "7" {
                continue;
            }
            assert_eq!(
                found(&format!("{before}{secret}")),
                [rule],
                "{before}{secret}"
            );
            assert_eq!(
                found(&format!("a = \"{before}{secret}\\n\";")),
                [rule],
                "{before}{secret}"
            );
        }
        let bytes = [b"\0ab", secret.as_bytes(), b"\0"].concat();
        let verdict = of(json!({}), vec![TestFile::added("a.bin", bytes)]);
        assert_eq!(verdict.findings[0].rule, rule);
    }
    let line = format!(
        "\"GET / HTTP/1.1\\r\\nAuthorization: Bearer {}\\r\\n\"",
        word(40, 3)
    );
    assert_eq!(found(&line), ["credential"]);
    for (rule, secret) in samples(4).into_iter().filter(|(rule, _)| {
        ["github-token", "aws-access-key", "npm-token", "stripe-key"].contains(rule)
    }) {
        for behind in ["_x", "xyz", "\\nx", "%26"] {
            assert_eq!(
                found(&format!("{secret}{behind}")),
                [rule],
                "{secret}{behind}"
            );
        }
    }
}

#[test]
fn long_tokens_are_found_as_a_whole() {
    for (payload, all) in [(60, 0), (4_500, 0), (7_990, 1_970)] {
        let token = format!(
            "eyJ{}.eyJ{}.{}",
            word(20 + all, 1),
            word(payload, 2),
            word(43 + all / 2, 3)
        );
        for line in [
            token.clone(),
            format!("x = \"{}{token}\"", "y ".repeat(9_000)),
        ] {
            let verdict = of(
                json!({}),
                vec![TestFile::added("a.txt", format!("{line}\n"))],
            );
            let said: Vec<&str> = verdict
                .findings
                .iter()
                .map(|f| f.message.as_str())
                .collect();
            assert_eq!(
                said,
                [format!(
                    "a JSON Web Token: `eyJ{}…`, {} characters",
                    &token[3..4],
                    token.len()
                )]
            );
        }
    }
}

#[test]
fn each_rule_has_a_sample() {
    let names: Vec<&str> = samples(1).into_iter().map(|(rule, _)| rule).collect();
    assert_eq!(names, RULES.map(|rule| rule.name));
}

#[test]
fn a_sign_stands_in_each_match() {
    for (rule, (_, secret)) in RULES.iter().zip(samples(7)) {
        let line = format!("AccountKey={secret}").to_lowercase();
        assert!(
            rule.signs.iter().any(|sign| line.contains(sign)),
            "{}",
            rule.name
        );
        assert!(
            rule.signs.iter().all(|sign| *sign == sign.to_lowercase()),
            "{}",
            rule.name
        );
    }
    for rule in GENERIC.into_iter().chain([SETTINGS]) {
        assert!(Regex::new(rule.pattern).is_ok());
    }
}

#[test]
fn no_finding_holds_the_credential() {
    for (_, secret) in samples(3) {
        let file = TestFile::added("a", format!("AccountKey={secret}\n"));
        let verdict = of(json!({}), vec![file]);
        let rest: String = secret.chars().skip(5).collect();
        assert!(!format!("{verdict:?}").contains(&rest), "{verdict:?}");
    }
}

#[test]
fn values_that_look_random_where_credentials_stand() {
    let value = word(24, 5);
    for line in [
        format!("api_key = \"{value}\""),
        format!("  \"clientSecret\": \"{value}\","),
        format!("PASSWORD: '{value}'"),
        format!("const dbPassword := `{value}`"),
    ] {
        assert_eq!(found(&line), ["credential"], "{line}");
    }
    assert_eq!(
        found(&format!("postgres://app:{}@db.internal/x", word(12, 9))),
        ["password-in-url"]
    );
    let file = || vec![TestFile::added("a", format!("api_key = \"{value}\"\n"))];
    assert!(of(json!({ "generic": false }), file()).findings.is_empty());
}

#[test]
fn settings_need_no_quotes() {
    for seed in 1..6 {
        let value = word(24, seed);
        for (path, line) in [
            ("app.env", format!("API_KEY={value}")),
            (".env.local", format!("export db_password={value}")),
            ("c.yml", format!("  password: {value} # mine")),
            ("c.yaml", format!("- {{token: {value}, a: b}}")),
            ("c.yml", format!("password: !!str {value}")),
            (
                "credentials",
                format!("aws_secret_access_key = {value}/+{value}"),
            ),
            ("a.ini", format!("secret={value};")),
            ("a/b.properties", format!("db.password={value}")),
            ("Dockerfile", format!("ENV API_TOKEN {value}")),
            (".netrc", format!("machine a login b password {value}")),
            (
                ".npmrc",
                format!("//registry.example.com/:_authToken={value}"),
            ),
            ("settings.xml", format!("<password>{value}</password>")),
            // Elsewhere as well, since the name says it.
            ("a.sh", format!("export API_KEY={value}")),
            ("README.md", format!("    DB_PASSWORD={value} cargo run")),
            ("a.sh", format!("curl -H 'Authorization: Bearer {value}' x")),
            ("a.sh", format!("curl -H \"X-Api-Key: {value}\" x")),
            ("a.sh", format!("tool --auth-token {value}")),
        ] {
            assert_eq!(found_in(path, &line), ["credential"], "{path}: {line}");
        }
    }
    for seed in 1..40 {
        let line = format!("api_key = \"{}\"", drawn(HEX, 32, seed));
        assert_eq!(found(&line), ["credential"], "{line}");
    }
    let long = format!("secret = \"{}\"", word(800, 2));
    assert_eq!(found(&long), ["credential"]);
}

#[test]
fn settings_that_are_none() {
    for (path, line) in [
        ("c.yml", "password: ${DB_PASSWORD_FROM_ENV_1}"),
        ("c.yml", "token: ${{ secrets.GITHUB_TOKEN_2 }}"),
        (
            "c.yml",
            "key: ${{ runner.os }}-cargo-${{ hashFiles('Cargo.lock') }}",
        ),
        ("c.yml", "secretName: my-service-tls-2026-cert"),
        ("c.yml", "key: v1-dependencies-and-more"),
        ("a.toml", "tokenizers = 0.13.2"),
        ("a.toml", "token-path = /run/secrets/token_1"),
        ("a.env", "API_KEY="),
        ("a.env", "API_KEY=your_api_key_1234567"),
        ("a.env", "PASSWORD=changeme12345678"),
        ("a.env", "SECRET_KEY=insert-secret-key-here-1"),
        (
            "a.properties",
            "password.encoder=org.example.BCrypt2Encoder",
        ),
        ("a.sh", "TOKEN=$(cat /run/secrets/token1)"),
        ("a.sh", "tool --token-file /run/secrets/token_1234"),
    ] {
        assert_eq!(found_in(path, line), [""; 0], "{path}: {line}");
    }
}

#[test]
fn a_word_does_not_make_a_placeholder() {
    let value = word(24, 5);
    for line in [
        format!("token = \"{value}fake\""),
        format!("token = \"{value}example\""),
        format!("token = \"{value}${{}}\""),
        format!("token = \"{value}<\""),
        format!("token = \"ab{value}xxxx\""),
    ] {
        assert_eq!(found(&line), ["credential"], "{line}");
    }
    let url = format!("postgres://u:{}@db/x", "p4ssw0rdsample9");
    assert_eq!(found(&url), ["password-in-url"]);
    let (rule, secret) = samples(4).swap_remove(7);
    assert_eq!(found(&format!("a = {secret}example")), [rule]);
}

#[test]
fn a_path_may_hold_one() {
    let (rule, secret) = samples(2).swap_remove(1);
    let verdict = of(
        json!({}),
        vec![TestFile::added(format!("keys/{secret}.txt"), "x\n")],
    );
    assert_eq!(verdict.findings[0].rule, rule);
    assert!(!format!("{verdict:?}").contains(&secret), "{verdict:?}");
    let moved = TestFile::renamed("a", secret.clone(), "x\n", "x\n");
    assert_eq!(of(json!({}), vec![moved]).findings.len(), 1);
    let old = TestFile::modified(secret, "x\n", "y\n");
    assert!(of(json!({}), vec![old]).findings.is_empty());
}

#[test]
fn what_only_looks_like_one() {
    for line in [
        "api_key = \"YOUR_API_KEY_GOES_HERE_123\"",
        "password = \"${DB_PASSWORD_FROM_ENV_1}\"",
        "token = \"{{ secrets.TOKEN_NUMBER_1 }}\"",
        "secret = os.environ[\"SECRET_KEY_NAME\"]",
        "password: \"correct horse battery staple\"",
        "token_type = \"authorization_code_grant\"",
        "key = \"AKIAIOSFODNN7EXAMPLE\"",
        "password = \"aaaaaaaaaaaaaaaaaaaaaaaa1\"",
        "https://user:password@example.org/",
        "git@github.com:owner/name.git",
        "see https://example.org:8080/a@b",
        "sha256 = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"",
        "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----",
        "npm_config_registry=https://registry.example",
        "ghp_short",
        "precision_and_ambition_of_something_long = 1",
    ] {
        assert_eq!(found(line), [""; 0], "{line}");
    }
}

#[test]
fn some_are_let_be() {
    let (_, secret) = samples(2).swap_remove(2);
    let file = || vec![TestFile::added("tests/a", format!("{secret}\n"))];
    assert_eq!(of(json!({}), file()).ruling, Ruling::Fail);
    for config in [
        json!({ "allow": ["ghp_.*"] }),
        json!({ "allow_files": ["tests/**"] }),
        json!({ "allow_rules": ["github-token"] }),
    ] {
        assert_eq!(of(config, file()).ruling, Ruling::Pass);
    }
    assert_eq!(
        of(json!({ "allow": ["ghp_"] }), file()).ruling,
        Ruling::Fail
    );
    let moved = TestFile::renamed("tests/a", "src/a", secret.clone(), secret);
    assert_eq!(
        of(json!({ "allow_files": ["tests/**"] }), vec![moved]).ruling,
        Ruling::Fail
    );
    for config in [
        json!({ "allow": ["("] }),
        json!({ "allow_rules": ["nothing"] }),
    ] {
        assert!(judge(&Context::test(config), &Change::test(vec![])).is_err());
    }
}

#[test]
fn files_that_are_no_text_are_searched() {
    let (_, secret) = samples(2).swap_remove(2);
    let bytes = [b"\0\xff", secret.as_bytes(), b"\0"].concat();
    let verdict = of(json!({}), vec![TestFile::added("a.bin", bytes.clone())]);
    assert_eq!(verdict.findings[0].rule, "github-token");
    assert!(
        of(json!({}), vec![TestFile::deleted("a.bin", bytes)])
            .findings
            .is_empty()
    );
    // One byte does not hide what is told by its place, nor does another encoding.
    let line = format!("token = \"{}\"\n", word(24, 5));
    for bytes in [
        format!("{line}\0").into_bytes(),
        line.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        line.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    ] {
        let verdict = of(json!({}), vec![TestFile::added("a.py", bytes)]);
        assert_eq!(verdict.findings[0].rule, "credential");
    }
    let large = vec![0; 2 << 20];
    let verdict = of(json!({}), vec![TestFile::added("a.bin", large)]);
    assert_eq!(
        (verdict.ruling, verdict.findings[0].rule.as_str()),
        (Ruling::Pass, "not-searched")
    );
}

#[test]
fn only_what_is_added_counts() {
    let (_, secret) = samples(2).swap_remove(2);
    let file = TestFile::modified("a", format!("{secret}\nold\n"), format!("{secret}\nnew\n"));
    assert!(of(json!({}), vec![file]).findings.is_empty());
    let gone = TestFile::deleted("a", format!("{secret}\n"));
    assert!(of(json!({}), vec![gone]).findings.is_empty());
}

/// Every file below a folder, as if it was new: the rules that are found, and in how many files. It is this project's documents
/// that are looked at, or those below `RINGFENCE_CORPUS`, to see how often the gate is wrong:
/// `RINGFENCE_CORPUS=~/.cargo/registry/src cargo test -p secrets real_files -- --nocapture`.
#[test]
fn real_files() {
    let given = std::env::var("RINGFENCE_CORPUS");
    let root = given
        .as_deref()
        .unwrap_or(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs"));
    let (mut folders, mut files) = (vec![std::path::PathBuf::from(root)], 0);
    let mut found = std::collections::BTreeMap::<String, u32>::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                files += 1;
                let file = TestFile::added(path.to_string_lossy(), bytes);
                let findings = of(json!({}), vec![file]).findings;
                let rules: std::collections::BTreeSet<String> =
                    findings.into_iter().map(|finding| finding.rule).collect();
                if given.is_ok() && !rules.is_empty() {
                    println!("{} {rules:?}", path.display());
                }
                for rule in rules {
                    *found.entry(rule).or_default() += 1;
                }
            }
        }
    }
    println!("{files} files: {found:?}");
    assert!(
        files > 10 && (given.is_ok() || found.is_empty()),
        "{found:?}"
    );
}

/// Column and text of what is found in a line of a program.
fn hits(text: &str) -> Vec<(u32, String)> {
    let search = crate::search::Search::new(&BTreeSet::new(), true).unwrap();
    let hits = search.hits("a.js", text).unwrap().into_iter();
    hits.map(|hit| (hit.column, hit.secret)).collect()
}

#[test]
fn credentials_in_a_line_of_megabytes_are_found_where_they_stand() {
    let filler = "let key=function(a){return this.token[a]};".repeat(2_000);
    let (one, two) = (
        format!("ghp_{}", word(36, 1)),
        format!("npm_{}", word(36, 2)),
    );
    let named = word(40, 3);
    let text = format!(
        "{filler}\"{one}\"{filler}ä = \"{two}\"{filler};secret     =     '{named}'{filler}"
    );
    let column = |secret: &str| {
        let before = &text[..text.find(secret).unwrap()];
        u32::try_from(before.chars().count()).unwrap() + 1
    };
    let expect = [one, two, named].map(|secret| (column(&secret), secret));
    assert_eq!(hits(&text), expect);
}

#[test]
fn a_long_credential_among_signs_without_white_space_is_found() {
    // Each `key` has a window of its own, and the value goes on behind the first one's lead.
    let value = format!("{}{}", word(300, 4), word(300, 5));
    let text = format!("{{key:1,{}api_key:'{value}'}}", "key:2,".repeat(700));
    assert_eq!(hits(&text).len(), 1);
    assert_eq!(hits(&text)[0].1, value);
}

#[test]
fn signs_without_end_are_read_once() {
    // A window of its own for each would read four thousand times as much, and take minutes.
    assert_eq!(hits(&"key".repeat(50_000)), []);
}
