//! Keys, tokens and passwords.

use masking::PiiType::Secret;

use crate::checks;
use crate::rng::{BASE64, BASE64_URL, DIGITS, HEX, LETTERS_DIGITS, LOWER, Rng, UPPER_DIGITS};
use crate::sample::Made;

const WORDS: &[&str] = &[
    "Spring", "hunter", "qwer", "dragon", "Summer", "tkfkdgo", "gksrnr", "Welcome", "correct",
    "blue", "P4ssw0rd", "rkskek", "Seoul", "monkey", "S3cure", "letmein", "Tiger", "admin",
    "Kimchi",
];
const SIGNS: &[char] = &['!', '@', '#', '$', '%', '^', '&', '*', '_', '-', '.', '?'];

pub fn word_password(rng: &mut Rng) -> String {
    let (word, other, sign) = (rng.pick(WORDS), rng.pick(WORDS), rng.pick(SIGNS));
    match rng.below(6) {
        0 => format!("{word}{}{sign}", rng.within(1..=2026)),
        1 => format!("{word}{sign}{}", rng.shape("####")),
        2 => format!("{word}{}{sign}{other}", rng.shape("##")),
        3 => format!("{word}{sign}{other}{}", rng.shape("#")),
        4 => format!("{}{}", word.to_lowercase(), rng.shape("####")),
        _ => format!("{}{sign}{}", rng.text(LETTERS_DIGITS, 6), rng.shape("&&##")),
    }
}

/// Behind a label.
pub fn password(rng: &mut Rng) -> Made {
    Made::pii(Secret, "password", word_password(rng))
}

/// Behind a label, in text where a sign may end it: letters and digits, one sign inside.
pub fn password_spoken(rng: &mut Rng) -> Made {
    let (word, sign) = (rng.pick(WORDS), rng.pick(&['!', '@', '#', '$', '*', '_', '-']));
    let text = match rng.below(3) {
        0 => format!("{word}{}", rng.shape("####")),
        1 => format!("{word}{}{sign}", rng.shape("####")),
        _ => format!("{word}{sign}{}", rng.shape("###")),
    };
    Made::pii(Secret, "password", text)
}

/// Where quotes and signs of a shell would end it.
pub fn password_plain(rng: &mut Rng) -> Made {
    Made::pii(Secret, "password", format!("{}{}", rng.pick(WORDS), rng.text(LETTERS_DIGITS, 6)))
}

/// Of `curl -u`: with the user is as right.
pub fn login(rng: &mut Rng) -> Made {
    password_plain(rng).between(&format!("{}:", rng.text(LOWER, 5)), "").or_all()
}

fn checked(rng: &mut Rng, prefix: &str) -> String {
    // Not all that stand in texts are real ones.
    if rng.chance(30) {
        return format!("{prefix}{}", rng.text(LETTERS_DIGITS, 36));
    }
    let thirty = rng.text(LETTERS_DIGITS, 30);
    format!("{prefix}{thirty}{}", checks::token_crc(&thirty))
}

fn github(rng: &mut Rng) -> Made {
    let prefix = rng.pick(&["ghp_", "ghp_", "gho_", "ghs_", "ghu_", "ghr_"]);
    Made::pii(Secret, "github token", checked(rng, prefix))
}

fn github_fine(rng: &mut Rng) -> Made {
    let text =
        format!("github_pat_{}_{}", rng.text(LETTERS_DIGITS, 22), rng.text(LETTERS_DIGITS, 59));
    Made::pii(Secret, "github fine-grained", text)
}

fn slack(rng: &mut Rng) -> Made {
    let text = match rng.below(3) {
        0 => format!(
            "xoxp-{}-{}",
            rng.shape("############-############-############"),
            rng.text(HEX, 32)
        ),
        _ => format!(
            "xoxb-{}-{}",
            rng.shape("%###########-%############"),
            rng.text(LETTERS_DIGITS, 24)
        ),
    };
    Made::pii(Secret, "slack token", text)
}

pub fn slack_webhook(rng: &mut Rng) -> Made {
    let upper = |rng: &mut Rng, length| rng.text(UPPER_DIGITS, length);
    let path = format!("T{}/B{}/{}", upper(rng, 10), upper(rng, 10), rng.text(LETTERS_DIGITS, 24));
    Made::pii(Secret, "slack webhook", path)
        .between(&format!("https://hooks.{}.com/services/", "slack"), "")
        .or_all()
}

fn openai(rng: &mut Rng) -> Made {
    let (first, second) = (rng.text(LETTERS_DIGITS, 20), rng.text(LETTERS_DIGITS, 20));
    let text = match rng.below(5) {
        3 => format!("sk-{}", rng.text(LETTERS_DIGITS, 48)),
        4 => format!("sk-proj-{}", rng.text(LETTERS_DIGITS, 48)),
        0 => format!("sk-{first}T3BlbkFJ{second}"),
        1 => format!("sk-svcacct-{}T3BlbkFJ{}", rng.text(BASE64_URL, 58), rng.text(BASE64_URL, 57)),
        _ => {
            format!("sk-proj-{}T3BlbkFJ{}", rng.text(BASE64_URL, 74), rng.text(LETTERS_DIGITS, 74))
        }
    };
    Made::pii(Secret, "openai", text)
}

fn anthropic(rng: &mut Rng) -> Made {
    Made::pii(Secret, "anthropic", format!("sk-ant-api03-{}AA", rng.text(BASE64_URL, 93)))
}

fn google(rng: &mut Rng) -> Made {
    let text = format!("AIza{}{}", rng.text(BASE64_URL, 34), rng.text(LETTERS_DIGITS, 1));
    Made::pii(Secret, "google", text)
}

fn stripe(rng: &mut Rng) -> Made {
    let prefix = rng.pick(&["sk_live_", "sk_live_", "rk_live_", "sk_test_"]);
    let length = rng.pick(&[24, 24, 99]);
    Made::pii(Secret, "stripe", format!("{prefix}{}", rng.text(LETTERS_DIGITS, length)))
}

fn huggingface(rng: &mut Rng) -> Made {
    let letters = LETTERS_DIGITS.trim_end_matches(|sign| DIGITS.contains(sign));
    Made::pii(Secret, "huggingface", format!("hf_{}", rng.text(letters, 34)))
}

fn npm(rng: &mut Rng) -> Made {
    Made::pii(Secret, "npm", checked(rng, "npm_"))
}

fn gitlab(rng: &mut Rng) -> Made {
    let text = format!("glpat-{}{}", rng.text(BASE64_URL, 19), rng.text(LETTERS_DIGITS, 1));
    Made::pii(Secret, "gitlab", text)
}

fn sendgrid(rng: &mut Rng) -> Made {
    let text = format!(
        "SG.{}.{}{}",
        rng.text(BASE64_URL, 22),
        rng.text(BASE64_URL, 42),
        rng.text(LETTERS_DIGITS, 1)
    );
    Made::pii(Secret, "sendgrid", text)
}

fn aws_id(rng: &mut Rng) -> Made {
    let prefix = rng.pick(&["AKIA", "AKIA", "ASIA"]);
    Made::pii(
        Secret,
        "aws key id",
        format!("{prefix}{}", rng.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16)),
    )
}

/// Behind a label.
pub fn aws_secret(rng: &mut Rng) -> Made {
    let text = format!("{}{}", rng.text(BASE64, 39), rng.text(LETTERS_DIGITS, 1));
    Made::pii(Secret, "aws secret", text)
}

pub fn jwt(rng: &mut Rng) -> Made {
    let header = rng.pick(&[
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"RS256","typ":"JWT","kid":"k1"}"#,
        r#"{"typ":"JWT","alg":"ES256"}"#,
    ]);
    let claims =
        format!(r#"{{"sub":"{}","iat":{}}}"#, rng.shape("%#####"), rng.shape("17########"));
    let text = format!(
        "{}.{}.{}",
        checks::base64_url(header.as_bytes()),
        checks::base64_url(claims.as_bytes()),
        checks::base64_url(&rng.bytes(32)),
    );
    Made::pii(Secret, "jwt", text)
}

/// Behind `Basic `.
pub fn basic(rng: &mut Rng) -> Made {
    let pair = format!("{}:{}", rng.text(LOWER, 5), word_password(rng));
    Made::pii(Secret, "basic auth", checks::base64(pair.as_bytes()))
}

/// Behind a label.
pub fn hex_key(rng: &mut Rng) -> Made {
    let length = rng.pick(&[32, 64, 64, 40]);
    Made::pii(Secret, "hex key", rng.text(HEX, length))
}

/// Behind `AccountKey=`.
pub fn azure(rng: &mut Rng) -> Made {
    Made::pii(Secret, "azure storage", checks::base64(&rng.bytes(64)))
}

/// The body is what must not leave, the whole block is as right.
fn pem(rng: &mut Rng, newline: &str) -> Made {
    let what =
        rng.pick(&["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"]);
    let lines = rng.within(2..=8);
    let mut body: Vec<String> = (0..lines).map(|_| rng.text(BASE64, 64)).collect();
    body.push(format!("{}==", rng.text(LETTERS_DIGITS, 22)));
    // Put together here, so that no file has a line that looks like the start of a key.
    let fence = |word: &str| format!("-----{word} {what}-----");
    Made::pii(Secret, "private key", body.join(newline))
        .between(&format!("{}{newline}", fence("BEGIN")), &format!("{newline}{}", fence("END")))
        .or_all()
}

pub fn private_key(rng: &mut Rng) -> Made {
    pem(rng, "\n")
}

/// As in JSON and .env: the line ends are escaped.
pub fn private_key_line(rng: &mut Rng) -> Made {
    pem(rng, "\\n")
}

/// Any that is known by itself.
pub fn token(rng: &mut Rng) -> Made {
    let make = rng.below(13);
    match make {
        0 => github(rng),
        1 => github_fine(rng),
        2 => slack(rng),
        3 => openai(rng),
        4 => anthropic(rng),
        5 => google(rng),
        6 => stripe(rng),
        7 => huggingface(rng),
        8 => npm(rng),
        9 => gitlab(rng),
        10 => sendgrid(rng),
        11 => aws_id(rng),
        _ => jwt(rng),
    }
}
