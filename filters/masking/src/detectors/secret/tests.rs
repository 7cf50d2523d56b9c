//! Every family over whole texts. Nothing here opens anything: bodies are letters in order,
//! and beginnings are put together when the test runs, so that no scanner takes them.

use proptest::prelude::*;

use super::*;
use crate::detectors::trial::{hits, misses};

/// So many letters and digits that no provider has drawn.
fn body(chars: usize) -> String {
    "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7".chars().cycle().take(chars).collect()
}

fn hex_body(chars: usize) -> String {
    "0f1e2d3c4b5a69788796a5b4c3d2e1".chars().cycle().take(chars).collect()
}

fn upper(chars: usize) -> String {
    body(chars).to_ascii_uppercase()
}

/// A token in a sentence of each language, in code, and with Hangul behind.
#[track_caller]
fn hits_everywhere(tokens: &[String]) {
    for token in tokens {
        let texts = [
            format!("⟦{token}⟧"),
            format!("use ⟦{token}⟧, please."),
            format!("키는 ⟦{token}⟧입니다"),
            format!("{{\"config\":[\"⟦{token}⟧\"]}}"),
            format!("curl https://api.example.com?x=⟦{token}⟧&y=1"),
        ];
        hits(PiiType::Secret, &texts.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

fn own_key() -> String {
    let random = ["t", "g_", &body(43)].concat();
    let sum = checksum::of(random.as_bytes());
    random + std::str::from_utf8(&sum).unwrap()
}

#[test]
fn finds_what_providers_give() {
    hits_everywhere(&[
        format!("{}{}", "AKI", "A").clone() + &upper(16),
        ["ghp", "_", &body(36)].concat(),
        ["github", "_pat_", &body(22), "_", &body(59)].concat(),
        ["xox", "b-", "123456789012-", "1234567890123-", &body(24)].concat(),
        ["xap", "p-1-", "A012345-", "1234567890-", &hex_body(64)].concat(),
        ["sk", "-", &body(20), "T3BlbkFJ", &body(20)].concat(),
        ["sk", "-proj-", &body(80), "_", &body(40)].concat(),
        ["sk", "-ant-", "api03-", &body(93), "AA"].concat(),
        ["AIz", "a", "Sy", &body(33)].concat(),
        ["GOC", "SPX-", &body(28)].concat(),
        ["sk", "_live_", &body(24)].concat(),
        ["rk", "_test_", &body(24)].concat(),
        ["wh", "sec_", &body(32)].concat(),
        ["h", "f_", &body(34)].concat(),
        ["np", "m_", &body(36)].concat(),
        ["gl", "pat-", &body(20)].concat(),
        ["S", "G.", &body(22), ".", &body(43)].concat(),
        ["do", "p_v1_", &hex_body(64)].concat(),
        ["da", "pi", &hex_body(32)].concat(),
        ["py", "pi-AgE", &body(60)].concat(),
        ["AGE-", "SECRET-KEY-1", &upper(58)].concat(),
        own_key(),
        ["S", "K", &hex_body(32)].concat(),
        ["12345678", "90:A", "A", &body(33)].concat(),
        ["M", &body(23), ".", &body(6), ".", &body(27)].concat(),
        [&hex_body(32), "-us", "12"].concat(),
        ["abc", "8Q", "~", &body(34)].concat(),
        ["https://hooks.", "slack.com/services/", "T012345/B012345/", &body(24)].concat(),
        ["https://disc", "ord.com/api/webhooks/", "123456789012345678/", &body(68)].concat(),
    ]);
}

#[test]
fn leaves_what_only_begins_so() {
    let texts = [
        ["ghp", "_", &"x".repeat(36)].concat(),
        ["AKI", "A", &upper(17)].concat(),
        ["AKI", "AIOSFODNN7", "EXAMPLE"].concat(),
        ["xAKI", "A", &upper(16)].concat(),
        "sk-your-api-key-goes-here-1234".to_owned(),
        "<div class=\"sk-circle-fade-dot sk-spinner-section2\">".to_owned(),
        ["AIz", "a", &body(20)].concat(),
        "npm_config_registry=1 npm_package_version".to_owned(),
        "hf_hub_download(repo_id)".to_owned(),
        "https://hooks.slack.com/services/".to_owned(),
        "task-aB3dE6gH9jK2mN5pQ8sT1vW4yZ7".to_owned(),
    ];
    misses(&texts.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn finds_what_names_announce() {
    let key = body(40).replace('7', "/");
    let azure = format!("{}==", body(86));
    let hex = hex_body(32);
    let texts = [
        format!("aws_secret_access_key = ⟦{key}⟧"),
        format!("AWS 시크릿 키는 ⟦{key}⟧ 입니다"),
        format!(
            "DefaultEndpointsProtocol=https;AccountName=x;AccountKey=⟦{azure}⟧;EndpointSuffix=y"
        ),
        format!("api_key: ⟦{hex}⟧"),
        format!("\"apiKey\": \"⟦{hex}⟧\","),
        format!("X-Api-Key: ⟦{hex}⟧"),
        format!("API 키는 ⟦{hex}⟧입니다"),
        format!("Secret key=⟦{hex}⟧"),
        format!("- [ ] secret key:⟦{hex}⟧"),
        format!("Signing secret→⟦{hex}⟧"),
        format!("* Private key (hex)(⟦{hex}⟧)"),
        format!("Private key (hex) ⟦{hex}⟧ and"),
        format!("- 암호화 키 # ⟦{hex}⟧"),
        format!("SECRET_KEY_BASE=⟦{}⟧", hex_body(128)),
        format!("client_secret=⟦{}⟧&grant_type=x", body(32)),
        format!("access_token=⟦{}⟧", body(32)),
        format!("토큰: ⟦{}⟧", body(32)),
        "JWT_SECRET='⟦my-sup3r-s3cret!⟧'".to_owned(),
    ];
    hits(PiiType::Secret, &texts.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn finds_passwords() {
    hits(
        PiiType::Secret,
        &[
            "비밀번호는 ⟦Abc!2345⟧ 입니다",
            "비밀번호는 ⟦Abc!2345⟧입니다.",
            "비번: ⟦qwer1234!⟧",
            "비번은 ⟦1q2w3e4r⟧이고 아이디는 kim",
            "(비번 ⟦hello2024!⟧)",
            "임시 비밀번호를 ⟦Xy7!kd92⟧로 바꿔 드렸습니다",
            "비밀번호 초기값은 ⟦Xy7!kd92⟧ 입니다",
            "암호 : ⟦dkagh#12⟧",
            "패스워드=⟦zxcv9876⟧",
            "아이디/비번: kim / ⟦qwer1234!⟧",
            "ID/PW: admin/⟦Adm1n!23⟧",
            "password=⟦hunter22⟧",
            "Password: ⟦P@ssw0rd!⟧",
            "\"password\": \"⟦correct horse 1!⟧\"",
            "{\\\"password\\\":\\\"⟦Tr0ub4dor&3⟧\\\"}",
            "DB_PASSWORD=⟦letmein⟧",
            "Server=db;User Id=sa;Password=⟦Str0ng&Pw⟧;Encrypt=true",
            "spring.datasource.password=⟦s3cr3t#9⟧",
            "  password: ⟦s3cr3t#9⟧  # prod",
            "export PGPASSWORD='⟦s3cr3t 9!⟧'",
            "user=kim&password=⟦abc123xyz⟧&remember=1",
            "The password for the staging server is ⟦Xy7!kd92⟧.",
            "my password is ⟦Summer2024!⟧ and it fails",
            "mysql --password ⟦Summer2024⟧ -h db",
            "<password>⟦Abc!2345⟧</password>",
            "**Password:** ⟦Abc!2345⟧",
            "passwd = \"⟦hunter⟧\"",
            "wifi pw ⟦sunny!day7⟧",
            "I use mail, pw ⟦rkskek-528⟧. Thanks",
            "<th>Password</th><td>⟦monkeywzb7Sf⟧</td>",
            "<li><b>DB 비밀번호</b>: ⟦qweryPjavD⟧</li>",
            "* DB password - ⟦blueQlUcdG⟧\n* next",
            "메모\n- 비밀번호 ⟦dragonzbVYIK⟧\n- 다음",
            "machine git.example.com login kim password ⟦dragonzbVYIK⟧",
            "The form says \"Admin password(⟦rkskek7942-⟧)\".",
            "PW:\n⟦blue8364⟧\nnext line",
            "ADMIN_PW=⟦Seoul1817$⟧",
            "Email none; Passwd ⟦dragonTJWvSp⟧; Date",
            "| 금액 | none |\n| 패스워드 | ⟦SeoulTX93tR⟧ |",
            "- name: DB_PASSWORD\n  value: \"⟦WelcomeGWHrAk⟧\"",
            "- [ ] pass: ⟦gksrnr6281⟧",
            "Customer: user/pass: maria.garcia / ⟦Kimchi_219⟧",
            "CREATE USER 'app'@'%' IDENTIFIED BY '⟦rkskekqgW7tt⟧'",
            "CREATE USER app WITH PASSWORD '⟦SummerVjdRkh⟧'",
            "비번 ⟦1234⟧ 입력하세요",
            "현관 비밀번호 ⟦1234#⟧",
            "my pw's ⟦Abc!2345⟧",
            "root password changed to ⟦xyz98765⟧ today",
            "<add key=\"DbPassword\" value=\"⟦Abc!2345⟧\" />",
            "<property name=\"password\">⟦Abc!2345⟧</property>",
            "name=\"passwd\"\r\n\r\n⟦S3cureugJ6vP⟧\r\n--x--",
            "Passwd ..... ⟦SummerVDRVqm⟧\nHash",
            "# config\nrequirepass ⟦hunterfrAtem⟧\nuid = 1",
            "CREATE USER app WITH PASSWORD '⟦Welcomeiqgqas⟧'",
            "Server=db;User Id=sa;Password=⟦bluemerkjp⟧;",
            "[패스워드] ⟦SeoulkUaozY⟧ [검사]",
            "docker login -u kim -p ⟦Summer94$S3cure⟧",
            "redis-cli -h db -a ⟦letmein?8231⟧",
            "mysql -uroot -p⟦qwer1234!⟧ shop",
            "The password was changed from ⟦Summer2024!⟧ yesterday",
            "curl -u ⟦admin:s3cr3t!⟧ https://api.example.com/",
            "Authorization: Basic ⟦YWRtaW46czNjcjN0IQ==⟧",
            "Authorization: Bearer ⟦aB3dE6gH9jK2mN5pQ8sT1vW4⟧",
        ],
    );
}

#[test]
fn leaves_what_is_no_password() {
    misses(&[
        "password: string",
        "password: required",
        "password must be at least 8 characters",
        "password = os.environ[\"DB_PASSWORD1\"]",
        "password=process.env.DB_PASSWORD2",
        "password: ${DB_PASSWORD1}",
        "password=$DB_PASSWORD1",
        "password: {{ db_password_1 }}",
        "password = getpass.getpass('Password1: ')",
        "password=self.password1",
        "password: <your-password-1>",
        "password: ********",
        "password: [REDACTED1]",
        "DB_PASSWORD=changeme",
        "\"password\": \"required\"",
        "\"password\": \"비밀번호\"",
        "비밀번호는 8자 이상이어야 합니다",
        "비밀번호는 8~16자 영문과 숫자",
        "비밀번호를 5회 틀리면 잠깁니다",
        "비밀번호는 90일마다 바꿉니다",
        "비밀번호는 SHA-256으로 저장합니다",
        "비밀번호 변경은 https://example.com/reset?id=1 에서",
        "비밀번호를 잊으면 설정 2번 화면에서",
        "암호화는 AES256을 씁니다",
        "암호화폐 시세",
        "test pass: 12 of 14",
        "PASS: TestLogin2",
        "bypass=true1",
        "max_tokens: 4096",
        "next_page_token: aB3dE6gH9jK2mN5pQ8sT1vW4",
        "primary key: customer_2024_id_00017",
        "token: string",
        "Bearer token authentication",
        "Bearer <token>",
        "Basic authentication uses base64",
        "public_key: aB3dE6gH9jK2mN5pQ8sT1vW4",
        "cache key = user-profile-2024-page-12",
        "if password == stored1:",
        "Password::Hash1",
        "#define DEFAULT_PWD 0x02",
        "int set_password(struct user *u, const char *password);",
        "- pass `SocketAddr` by value ([#59])",
        "Fix SCRAM password `SASLprep` (^0.4.92)",
        "pub secret: Box<[u8]>,",
        "fn login(user: &str, password: &str) -> Result<Token, Error> {",
        "if let Some(password) = &self.password {",
        "pub password: Option<&'a str>,",
        "암호: 양자암호 2024 컨퍼런스",
        "const password = process.env.PASSWORD;\nassert!(/usr/lib/libssl.so.2.2);",
        "password: {password1}",
        "비밀번호 2024년 개편",
        "비밀번호 1588-1234 문의",
        "re.compile(r\"password=(\\S+)\")",
        "api_key=YOUR_API_KEY_12345678901234567890",
    ]);
}

#[test]
fn finds_private_keys() {
    let lines = [body(64), body(64), body(30)];
    let label = ["PRIVATE", "KEY"].join(" ");
    let closed =
        format!("-----BEGIN RSA {label}-----\n{}==\n-----END RSA {label}-----", lines.join("\n"));
    let open = format!("-----BEGIN {label}-----\n{}", lines.join("\n"));
    let one_line = format!("-----BEGIN {label}----- {} -----END {label}-----", lines.join(" "));
    let encrypted = format!(
        "-----BEGIN RSA {label}-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0F1E\n\n{}\n-----END RSA {label}-----",
        lines.join("\n")
    );
    let escaped = closed.replace('\n', "\\n");
    let texts = [
        format!("key:\n⟦{closed}⟧\nthanks"),
        format!("⟦{open}⟧ 이게 끝입니다"),
        format!("⟦{one_line}⟧"),
        format!("⟦{encrypted}⟧"),
        format!("{{\"private_key\": \"⟦{escaped}⟧\\n\"}}"),
    ];
    hits(PiiType::Secret, &texts.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn leaves_public_keys() {
    let block = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----", body(64));
    misses(&[
        &block,
        "-----BEGIN PRIVATE KEY-----\n...\n-----END",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ kim@host.invalid1",
    ]);
}

#[test]
fn a_key_of_this_gateway_has_a_checksum() {
    let mistyped = own_key().replace('9', "8");
    misses(&[&format!("ctx {mistyped}")]);
}

#[test]
fn finds_columns() {
    let hex = hex_body(64);
    let texts = [
        "name;passwd\nkim;⟦qwerqpwRN4⟧\n".to_owned(),
        "name,DB 비밀번호,memo\n임미경,⟦Abc!2345⟧,\n".to_owned(),
        "passport\tpassword\trun\nnone\t⟦bluedGEBQi⟧\t12\n".to_owned(),
        format!("| 이름 | 비밀키 |\n|---|---|\n| kim | ⟦{hex}⟧ |"),
        "INSERT INTO t (price, passwd) VALUES\n('12원', '⟦WelcomesflJPO⟧')".to_owned(),
    ];
    hits(PiiType::Secret, &texts.iter().map(String::as_str).collect::<Vec<_>>());
    misses(&[
        "Change the password, token, and key\nof user1234, abcd1234, and more",
        "password,email\n",
    ]);
}

#[test]
fn endless_runs_give_nothing() {
    for unit in [
        "aB3/dE6+",
        "eyJ",
        "sk-",
        "password=",
        "-----BEGIN ",
        "xoxb-",
        "비밀번호는 ",
        "token: ",
        "Bearer ",
        "://a:",
    ] {
        let text = unit.repeat(200_000 / unit.len());
        let mut found = Candidates::default();
        find(&Scene::of(&text), &mut found);
        assert!(found.0.len() < 2, "{unit}: {}", found.0.len());
    }
}

proptest! {
    #[test]
    fn spans_are_of_the_text(text in "(password|비밀번호|token|api_key|sk-|eyJ|://|=|: |는 |\"|[a-zA-Z0-9가-힣!@#/. ]{0,9}){0,24}") {
        let mut found = Candidates::default();
        find(&Scene::of(&text), &mut found);
        for candidate in found.0 {
            prop_assert!(text.get(candidate.span.clone()).is_some_and(|value| !value.is_empty()));
        }
    }
}

#[test]
fn finds_the_old_and_the_new_one() {
    for text in
        ["비밀번호를 Summer2024_에서 Tiger!118로 바꿔라", "password from Summer2024! to Tiger!118."]
    {
        let found: Vec<_> =
            crate::scan::scan(text).into_iter().map(|finding| &text[finding.span]).collect();
        assert_eq!(found.len(), 2, "{text}: {found:?}");
        assert_eq!(found[1], "Tiger!118");
    }
}

#[test]
fn finds_what_a_line_break_splits() {
    let key = body(40).replace('7', "/");
    let tokens = [
        ["AKI", "A", &upper(16)].concat(),
        ["ghp", "_", &body(36)].concat(),
        ["sk", "_live_", &body(24)].concat(),
        ["AIz", "a", &body(35)].concat(),
        ["gl", "pat-", &body(20)].concat(),
        ["https://hooks.", "slack.com/services/", "T012345/B012345/", &body(24)].concat(),
        ["xox", "b-", "123456789012-", "1234567890123-", &body(24)].concat(),
    ];
    for token in tokens {
        let (first, second) = token.split_at(token.len() - 12);
        let text = format!("key ⟦{first}\r\n{second}⟧ leaked?");
        hits(PiiType::Secret, &[&text, &text.replace('\r', "")]);
    }
    let named = [
        format!("aws_secret_access_key = ⟦{}\n{}⟧", &key[..20], &key[20..]),
        format!("export ENCRYPTION_KEY=⟦{}\n{}⟧\nNEXT=1", hex_body(16), hex_body(16)),
        format!("API_KEY=⟦{}\n{}⟧\nPASSWORD_ROUNDS=1", ["ghp", "_", &body(16)].concat(), body(20)),
        "Authorization: Basic ⟦YWRtaW46\nczNjcjN0IQ==⟧".to_owned(),
    ];
    hits(PiiType::Secret, &named.iter().map(String::as_str).collect::<Vec<_>>());
    hits(PiiType::Secret, &[&format!("A=⟦{}⟧\nNEXT_NAME=1", ["sk", "_live_", &body(15)].concat())]);
}
