//! The forms of credentials, as their issuers document them.
//!
//! What stands right before a credential is no part of a rule: in `\nghp_…`, `%3Dghp_…` or a file that is no text that is a
//! letter or a digit. Nor is what stands behind, where a form is told by its beginning alone.
//!
//! **Invariant:** one of a rule's `signs` stands in everything that its pattern matches, with no more than `bytes_max` from there to
//! its end; a test holds the patterns to it. The first group of a pattern, if it has one, is the credential.

/// A kind of credential.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    /// For people.
    pub(crate) what: &'static str,
    /// Lower-case texts; a line without any of them is not looked at.
    pub(crate) signs: &'static [&'static str],
    pub(crate) pattern: &'static str,
    /// How random it looks at least, in hundredths of a bit for each character.
    pub(crate) entropy: u32,
    /// How many bytes of it may stand behind a sign.
    pub(crate) bytes_max: usize,
}

/// Limit: what is looked at behind a sign, unless a form allows more; most credentials have less than 500.
const BYTES_MAX: usize = 4_096;

impl Rule {
    const fn of_at_most(self, bytes_max: usize) -> Self {
        Self { bytes_max, ..self }
    }
}

const fn rule(
    name: &'static str,
    what: &'static str,
    signs: &'static [&'static str],
    pattern: &'static str,
    entropy: u32,
) -> Rule {
    Rule {
        name,
        what,
        signs,
        pattern,
        entropy,
        bytes_max: BYTES_MAX,
    }
}

/// What has a form of its own.
pub(crate) const RULES: [Rule; 26] = [
    rule(
        "private-key",
        "a private key",
        &["private key"],
        r"(-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----)",
        0,
    ),
    rule(
        "aws-access-key",
        "an access key of AWS",
        &["akia", "asia", "abia", "acca"],
        r"((?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})(?:[^A-Z2-7]|$)",
        270,
    ),
    rule(
        "github-token",
        "a token of GitHub",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        r"(gh[pousr]_[0-9A-Za-z]{36,251})",
        300,
    ),
    rule(
        "github-fine-grained-token",
        "a token of GitHub",
        &["github_pat_"],
        r"(github_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59})",
        300,
    ),
    rule(
        "gitlab-token",
        "a token of GitLab",
        &["glpat-", "gldt-", "glrt-", "glptt-", "glft-"],
        r"(gl(?:pat|dt|rt|ptt|ft)-[0-9A-Za-z_-]{20,200})",
        280,
    ),
    rule(
        "slack-token",
        "a token of Slack",
        &["xox"],
        r"(xox[abeoprs]-[0-9A-Za-z-]{10,250})",
        270,
    ),
    rule(
        "slack-webhook",
        "a webhook of Slack",
        &["hooks.slack.com"],
        r"(https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{40,70})",
        300,
    ),
    rule(
        "stripe-key",
        "a key of Stripe",
        &["sk_live_", "rk_live_", "sk_test_", "rk_test_"],
        r"([rs]k_(?:live|test)_[0-9A-Za-z]{16,247})",
        280,
    ),
    rule(
        "google-api-key",
        "an API key of Google",
        &["aiza"],
        r"(AIza[0-9A-Za-z_-]{35})(?:[^0-9A-Za-z_-]|$)",
        300,
    ),
    rule(
        "google-oauth-secret",
        "an OAuth secret of Google",
        &["gocspx-"],
        r"(GOCSPX-[0-9A-Za-z_-]{28})",
        300,
    ),
    rule(
        "json-web-token",
        "a JSON Web Token",
        &["eyj"],
        r"(eyJ[A-Za-z0-9_-]{14,2000}\.eyJ[A-Za-z0-9_-]{14,8000}\.[A-Za-z0-9_-]{20,2000})",
        350,
    )
    .of_at_most(12_010),
    rule(
        "npm-token",
        "a token of npm",
        &["npm_"],
        r"(npm_[0-9A-Za-z]{36})",
        300,
    ),
    rule(
        "pypi-token",
        "a token of PyPI",
        &["pypi-ageichlwas"],
        r"(pypi-AgEIcHlwaS5vcmc[0-9A-Za-z_-]{50,1000})",
        300,
    ),
    rule(
        "crates-io-token",
        "a token of crates.io",
        &["cio"],
        r"(cio[0-9A-Za-z]{32})\b",
        350,
    ),
    rule(
        "openai-key",
        "a key of OpenAI",
        &["t3blbkfj"],
        r"(sk-(?:proj-|svcacct-|admin-)?[0-9A-Za-z_-]{20,100}T3BlbkFJ[0-9A-Za-z_-]{20,100})",
        300,
    ),
    rule(
        "anthropic-key",
        "a key of Anthropic",
        &["sk-ant-"],
        r"(sk-ant-(?:api|admin|sid|oat)[0-9]{2}-[0-9A-Za-z_-]{80,120})",
        300,
    ),
    rule(
        "hugging-face-token",
        "a token of Hugging Face",
        &["hf_"],
        r"(hf_[0-9A-Za-z]{34})",
        300,
    ),
    rule(
        "sendgrid-key",
        "a key of SendGrid",
        &["sg."],
        r"(SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43})",
        300,
    ),
    rule(
        "digitalocean-token",
        "a token of DigitalOcean",
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        r"(do[opr]_v1_[0-9a-f]{64})",
        280,
    ),
    rule(
        "shopify-token",
        "a token of Shopify",
        &["shpat_", "shpca_", "shppa_", "shpss_"],
        r"(shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32})",
        280,
    ),
    rule(
        "telegram-token",
        "a bot token of Telegram",
        &[":aa"],
        r"([0-9]{8,10}:AA[0-9A-Za-z_-]{33})(?:[^0-9A-Za-z_-]|$)",
        350,
    ),
    rule(
        "azure-storage-key",
        "a storage key of Azure",
        &["accountkey="],
        r"AccountKey=([A-Za-z0-9+/]{86}==)",
        400,
    ),
    rule(
        "hashicorp-vault-token",
        "a token of Vault",
        &["hvs.", "hvb.", "hvr."],
        r"(hv[sbr]\.[0-9A-Za-z_-]{24,300})",
        350,
    ),
    rule(
        "docker-token",
        "a token of Docker",
        &["dckr_pat_"],
        r"(dckr_pat_[0-9A-Za-z_-]{27,40})",
        300,
    ),
    rule(
        "databricks-token",
        "a token of Databricks",
        &["dapi"],
        r"(dapi[0-9a-f]{32}(?:-[0-9])?)",
        280,
    ),
    rule(
        "age-secret-key",
        "a secret key of age",
        &["age-secret-key-1"],
        r"(AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58})",
        300,
    ),
];

/// What is told by where it stands.
pub(crate) const GENERIC: [Rule; 4] = [
    rule(
        "credential",
        "a random-looking value that is assigned to the name of a credential",
        &SIGNS,
        r#"(?i)(?:api[_.-]?key|access[_.-]?key|secret|token|passw(?:or)?d|passwd|passphrase|pwd|credential|auth[_.-]?key|private[_.-]?key)[0-9a-z_.-]{0,30}["'`]?\s{0,5}(?::=|=>|=|:)\s{0,5}["'`]([^\s"'`]{12,})["'`]"#,
        350,
    ),
    rule(
        "credential",
        "a random-looking value in an environment variable for a credential",
        &SIGNS,
        r#"(?:API_?KEY|ACCESS_?KEY|SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|PWD|CREDENTIAL|AUTH_?KEY|PRIVATE_?KEY)[A-Z0-9_]{0,40}=([A-Za-z0-9+/_.~!@%^&*=-]{12,})"#,
        350,
    ),
    rule(
        "credential",
        "a random-looking value in a header or an option for a credential",
        &[
            "authorization",
            "x-api-key",
            "x-auth-token",
            "private-token",
            "-token",
            "-password",
            "-secret",
            "-api-key",
            "-access-key",
        ],
        r#"(?i)(?:(?:proxy-authorization|authorization|x-api-key|x-auth-token|private-token)["'`]?\s{0,3}[:,=]\s{0,3}["'`]?(?:bearer\s|basic\s|token\s)?\s{0,3}|--[a-z-]{0,30}(?:token|password|secret|api-key|access-key)[= ])([A-Za-z0-9+/_.~=-]{16,})"#,
        350,
    ),
    rule(
        "password-in-url",
        "a password in a URL",
        &["://"],
        r"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s/:@]{0,100}:([^\s/:@]{6,200})@[A-Za-z0-9\[]",
        250,
    ),
];

/// What is told by where it stands in a file of settings, where a value needs no quotes.
pub(crate) const SETTINGS: Rule = rule(
    "credential",
    "a random-looking value of a setting for a credential",
    &SIGNS,
    r#"(?i)(?:api[_.-]?key|access[_.-]?key|account[_.-]?key|secret|token|passw(?:or)?d|passwd|passphrase|pwd|credential|auth[_.-]?key|private[_.-]?key|_auth)[0-9a-z_.-]{0,30}["']?(?:\s{0,20}[:=]\s{0,20}(?:!!?[a-z]+\s+)?|\s{1,20}|>\s{0,5})([^\s"'`#;,<>(){}\[\]$\x00]{12,})"#,
    350,
);

/// Parts of the names under which credentials are kept.
const SIGNS: [&str; 8] = [
    "key",
    "secret",
    "token",
    "passw",
    "passphrase",
    "pwd",
    "credential",
    "_auth",
];

/// True for a file of settings, by its name.
pub(crate) fn is_settings(path: &str) -> bool {
    const ENDINGS: [&str; 22] = [
        "env",
        "yml",
        "yaml",
        "ini",
        "toml",
        "properties",
        "cfg",
        "conf",
        "config",
        "cnf",
        "tfvars",
        "xml",
        "plist",
        "json",
        "json5",
        "hcl",
        "netrc",
        "npmrc",
        "pypirc",
        "envrc",
        "yarnrc",
        "dockercfg",
    ];
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let parts: Vec<&str> = name.split(['.', '-', '_']).collect();
    let ends = parts.last().is_some_and(|end| ENDINGS.contains(end));
    // `.env.local`, `prod.env.bak`, `credentials`, `_netrc`, `Dockerfile.dev`
    let named = ["env", "credentials", "netrc", "dockerfile", "secrets"];
    ends || parts.iter().any(|part| named.contains(part))
}
