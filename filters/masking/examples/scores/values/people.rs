//! Persons, companies, streets and mail addresses.

use masking::PiiType;

use crate::rng::Rng;
use crate::sample::Made;

const FAMILIES: &[&str] = &[
    "김", "이", "박", "최", "정", "강", "조", "윤", "장", "임", "한", "오", "서", "신", "권", "황",
    "안", "송", "류", "홍", "남궁",
];
const GIVEN: &[&str] = &[
    "민준", "서연", "도윤", "하은", "지훈", "수빈", "예린", "현우", "영숙", "정호", "미경", "상철",
    "은지", "태현", "보라", "재석", "가람", "유진", "동혁", "소영",
];
const FIRST: &[&str] = &[
    "James", "Maria", "Wei", "Aisha", "Oliver", "Emma", "Carlos", "Priya", "Lukas", "Sofia",
    "Daniel", "Grace", "Yusuf", "Hannah", "Minjun", "Chloe", "Ivan", "Noah", "Ingrid", "Tom",
];
const LAST: &[&str] = &[
    "Smith", "Garcia", "Chen", "Khan", "Brown", "Müller", "Silva", "Patel", "Novak", "Rossi",
    "Kim", "Lee", "Okafor", "Schmidt", "Park", "Dubois", "Petrov", "Wilson", "Larsen", "O'Neil",
];
const COMPANIES: &[&str] = &[
    "(주)한빛소프트웨어",
    "다온물산",
    "주식회사 새봄",
    "누리테크",
    "Acme Corp",
    "Globex LLC",
    "Initech GmbH",
    "Hooli",
    "Northwind Traders",
    "미래상사",
    "청솔병원",
    "Contoso Ltd.",
];
const STREETS: &[&str] = &[
    "서울특별시 강남구 테헤란로 152, 7층",
    "부산시 해운대구 센텀중앙로 97",
    "대전 유성구 대학로 291",
    "742 Evergreen Terrace",
    "221B Baker Street, London",
    "1600 Main St, Springfield",
    "Hauptstraße 5, 10827 Berlin",
    "경기도 성남시 분당구 판교역로 235 3동 1204호",
];
const NICKS: &[&str] = &[
    "minjun",
    "seoyeon",
    "jihoon",
    "haeun",
    "jsmith",
    "maria.garcia",
    "wchen",
    "lukas_m",
    "priya",
    "hong.gildong",
    "sunny",
    "devops",
    "kim_yj",
    "tom",
    "grace-lee",
    "a.khan",
    "bluesky",
    "j.doe",
    "ceo",
    "park.mk",
    "x",
    "yusuf-k",
    "o.brown",
    "sofia",
];
const DOMAINS: &[&str] = &[
    "gmail.com",
    "naver.com",
    "hanmail.net",
    "daum.net",
    "kakao.com",
    "outlook.com",
    "example.com",
    "example.co.kr",
    "company.co.uk",
    "yahoo.co.jp",
    "proton.me",
    "nate.com",
    "icloud.com",
    "snu.ac.kr",
    "corp.example.io",
    "mail.example.org",
    "korea.kr",
    "hotmail.com",
    "web.de",
    "sub-domain.example.net",
    "startup.ai",
    "my-company.tech",
];

pub fn korean_name(rng: &mut Rng) -> Made {
    Made::neutral("name", format!("{}{}", rng.pick(FAMILIES), rng.pick(GIVEN)))
}

pub fn english_name(rng: &mut Rng) -> Made {
    Made::neutral("name", format!("{} {}", rng.pick(FIRST), rng.pick(LAST)))
}

pub fn company(rng: &mut Rng) -> Made {
    Made::neutral("company", rng.pick(COMPANIES))
}

pub fn street(rng: &mut Rng) -> Made {
    Made::neutral("street", rng.pick(STREETS))
}

pub fn nick(rng: &mut Rng) -> String {
    let nick = rng.pick(NICKS);
    match rng.below(5) {
        0 => format!("{nick}{}", rng.within(1..=2001)),
        1 => format!("{nick}{}", rng.shape("##")),
        _ => nick.to_owned(),
    }
}

pub fn domain(rng: &mut Rng) -> &'static str {
    rng.pick(DOMAINS)
}

pub fn email(rng: &mut Rng) -> Made {
    let (nick, domain) = (nick(rng), domain(rng));
    let (kind, text) = match rng.below(14) {
        0 => ("tagged", format!("{nick}+{}@{domain}", rng.pick(&["news", "test", "2024", "shop"]))),
        1 => ("capital", format!("{}@{}", nick.to_uppercase(), domain)),
        2 => ("capital", format!("{nick}@{}", domain.to_uppercase())),
        3 => ("digits", format!("{}@{domain}", rng.shape("%########"))),
        _ => ("plain", format!("{nick}@{domain}")),
    };
    Made::pii(PiiType::Email, kind, text)
}
