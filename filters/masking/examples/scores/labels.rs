//! Labels that people put before values, in both languages, and what stands between.

use crate::rng::Rng;
use crate::sample::Made;
use crate::slots;

/// A slot and its labels.
type Labels = (&'static str, &'static [&'static str]);

#[rustfmt::skip]
const KOREAN: &[Labels] = &[
    ("email", &["이메일", "메일", "e메일", "이메일 주소", "메일주소", "전자우편", "E-mail", "회신 메일", "계정", "아이디(이메일)"]),
    ("phone ko", &["전화번호", "전화", "연락처", "휴대폰", "휴대전화", "핸드폰", "핸드폰 번호", "HP", "H.P", "폰", "Tel", "TEL", "T", "번호", "비상연락처", "보호자 연락처", "수신자 번호", "직통", "담당자 연락처", "☎"]),
    ("mobile", &["휴대폰번호", "모바일", "휴대전화번호", "M", "문자 받을 번호", "카톡 연락처", "Mobile"]),
    ("landline", &["집전화", "자택전화", "직장", "사무실", "내선", "팩스", "FAX", "F", "대표전화", "가게 전화"]),
    ("card", &["카드번호", "신용카드", "체크카드 번호", "결제 카드", "법인카드", "카드 번호", "카드"]),
    ("iban", &["IBAN", "해외계좌(IBAN)", "수취 계좌 IBAN", "유럽 계좌"]),
    ("rrn labelled", &["주민등록번호", "주민번호", "주민등록번호(앞뒤 전체)", "주민 등록 번호", "주민", "실명번호", "RRN", "주민등록 번호"]),
    ("frn", &["외국인등록번호", "외국인 등록번호", "외국인번호", "거소신고번호", "국내거소신고번호"]),
    ("brn labelled", &["사업자등록번호", "사업자번호", "사업자 등록번호", "사업자 번호", "사업자", "등록번호(사업자)"]),
    ("license labelled", &["운전면허번호", "면허번호", "운전면허", "운전면허증 번호", "면허증번호", "자동차운전면허번호"]),
    ("passport", &["여권번호", "여권", "여권 번호", "여권No.", "Passport No."]),
    ("account", &["계좌번호", "계좌", "환불계좌", "입금계좌", "급여계좌", "통장번호", "송금 계좌", "계좌 번호", "출금계좌", "가상계좌"]),
    ("bank", &["계좌", "환불 계좌", "입금처", "급여이체", "보낼 곳", "입금 은행"]),
    ("ip", &["IP", "아이피", "IP주소", "접속 IP", "서버 주소", "서버 IP", "접속지", "클라이언트 IP", "로그인 IP"]),
    ("mac", &["MAC", "맥주소", "MAC 주소", "물리적 주소", "하드웨어 주소", "단말 MAC"]),
    ("password spoken", &["비밀번호", "비번", "패스워드", "암호", "PW", "pw", "임시비밀번호", "초기 비밀번호", "로그인 비번", "와이파이 비번", "접속 암호", "관리자 비밀번호", "DB 비밀번호"]),
    ("hex key", &["비밀키", "시크릿 키", "API 시크릿", "암호화 키", "서명 키", "secret key", "개인키"]),
    ("token", &["API 키", "토큰", "인증키", "액세스 토큰", "발급받은 키", "키", "API key"]),
    ("url", &["DB 주소", "접속 문자열", "접속 URL", "DSN", "저장소", "연결 정보"]),
    ("dob ko", &["생년월일", "생일", "출생일", "생년월일(양력)", "출생", "출생년월일", "생년월일 8자리"]),
    ("mrn", &["환자번호", "차트번호", "등록번호", "병록번호", "환자등록번호", "의무기록번호", "병원등록번호", "진료번호", "MRN"]),
    ("wallet", &["지갑주소", "지갑", "비트코인 주소", "입금 주소", "코인 지갑", "출금주소"]),
];

#[rustfmt::skip]
const ENGLISH: &[Labels] = &[
    ("email", &["Email", "E-mail", "email", "mail", "Email address", "Contact", "To", "cc", "Reply-To", "Work email"]),
    ("phone labelled", &["Phone", "phone", "Tel", "Tel.", "Telephone", "Phone number", "Call", "Contact number", "Cell", "Home phone", "Work phone", "WhatsApp"]),
    ("phone en", &["Mobile", "M", "T", "P", "Fax", "Office", "Direct", "Emergency contact", "Cell", "Reach me at", "SMS"]),
    ("card", &["Card", "Card number", "Credit card", "CC", "Card no.", "card #", "Visa/MC", "PAN", "Debit card", "Payment card"]),
    ("iban", &["IBAN", "Iban", "Account (IBAN)", "Bank account", "Beneficiary IBAN"]),
    ("ssn labelled", &["SSN", "ssn", "Social Security Number", "Social Security No.", "Soc. Sec. No.", "SS#", "social security", "SSN#"]),
    ("itin", &["ITIN", "Taxpayer ID", "Individual Taxpayer Identification Number", "Tax ID (ITIN)"]),
    ("rrn labelled", &["RRN", "Resident registration number", "Korean resident number", "Resident Registration No.", "KR RRN"]),
    ("frn", &["Alien registration number", "ARC number", "Foreigner registration number", "ARC no.", "FRN"]),
    ("brn labelled", &["Business registration number", "BRN", "Business Reg. No.", "Business number", "Business registration no."]),
    ("license labelled", &["Driver's license", "Driver license", "Driver's licence no.", "License number", "DL"]),
    ("passport", &["Passport", "Passport No.", "Passport number", "passport no", "Passport #"]),
    ("bank en", &["Bank", "Wire to", "Payroll", "Refund account"]),
    ("account", &["Account number", "Bank account", "Account no.", "Acct", "Bank account number"]),
    ("ip", &["IP", "IP address", "ip", "Client IP", "Source", "Host", "Server", "Remote IP", "Last login from"]),
    ("mac", &["MAC", "MAC address", "Hardware address", "HWaddr", "Ethernet"]),
    ("password spoken", &["Password", "password", "pwd", "PW", "pass", "Passwd", "Temp password", "Login password", "Wi-Fi password", "Admin password", "root password"]),
    ("hex key", &["Secret key", "API secret", "Encryption key", "Signing secret", "client secret", "Private key (hex)"]),
    ("token", &["Token", "API key", "api_key", "Access token", "Key", "Bearer", "Secret"]),
    ("url", &["DSN", "Connection string", "Database URL", "Repo", "Link", "Endpoint"]),
    ("dob en", &["DOB", "Date of birth", "Birth date", "D.O.B.", "Born", "Birthday", "Date of Birth (MM/DD/YYYY)", "dob", "Birthdate"]),
    ("mrn", &["MRN", "MRN#", "Medical record number", "Medical Record No.", "Med rec #", "Patient MRN", "Chart no.", "Medical record #"]),
    ("wallet", &["Wallet", "Wallet address", "BTC address", "Deposit address", "Send to", "Crypto wallet"]),
];

#[rustfmt::skip]
const KOREAN_HARMLESS: &[Labels] = &[
    ("order", &["주문번호", "주문 번호", "주문", "예약번호", "결제번호", "발주번호", "거래번호"]),
    ("ticket", &["접수번호", "문의번호", "티켓", "사번", "학번", "관리번호"]),
    ("tracking", &["송장번호", "운송장", "운송장번호", "택배 송장", "등기번호", "우체국 택배"]),
    ("uuid", &["요청 ID", "세션 ID", "고유번호", "식별자"]),
    ("timestamp", &["일시", "접수일시", "발생시각", "통화일시", "결제일시"]),
    ("epoch", &["타임스탬프", "시각", "생성시각"]),
    ("date", &["날짜", "작성일", "만료일", "입사일", "방문일", "유효기간", "진료일", "납기일", "발급일"]),
    ("version of four", &["버전", "펌웨어", "빌드", "프로그램 버전"]),
    ("price", &["금액", "결제금액", "잔액", "합계", "보험료", "월급", "송금액"]),
    ("isbn", &["도서", "ISBN", "책 번호"]),
    ("ean", &["바코드", "상품 바코드", "상품번호"]),
    ("sku", &["모델명", "품번", "제품코드", "시리얼", "부품번호"]),
    ("hash", &["해시", "체크섬", "커밋", "지문값"]),
    ("corporation", &["법인등록번호", "법인번호", "법인 등록번호"]),
    ("wrong brn", &["사업자등록번호(오류)", "잘못된 사업자번호", "사업자등록번호"]),
    ("zip", &["우편번호", "배송지 우편번호"]),
    ("drug", &["약품코드", "보험코드", "처방코드"]),
    ("lab", &["검사코드", "검체번호", "상병코드"]),
    ("blood pressure", &["혈압", "활력징후"]),
    ("rate", &["환율", "매매기준율"]),
    ("number", &["문서번호", "사건번호", "공고번호", "증권번호", "허가번호"]),
    ("fingerprint", &["인증서 지문", "키 지문"]),
    ("transaction", &["트랜잭션", "거래 해시", "TxID"]),
    ("stand-in", &["비밀번호", "API 키", "토큰", "password"]),
    ("starred", &["주민번호", "카드번호", "연락처", "비밀번호"]),
];

#[rustfmt::skip]
const ENGLISH_HARMLESS: &[Labels] = &[
    ("order", &["Order", "Order no.", "Order ID", "Booking", "PO", "Confirmation number", "Reference"]),
    ("ticket", &["Ticket", "Case", "Employee ID", "Issue", "Request"]),
    ("tracking", &["Tracking", "Tracking number", "Waybill", "Parcel", "UPS", "FedEx"]),
    ("uuid", &["Request ID", "Session", "id", "Trace"]),
    ("timestamp", &["Time", "Created", "Received", "At"]),
    ("epoch", &["ts", "Timestamp", "Epoch", "expires"]),
    ("date", &["Date", "Due", "Expires", "Start date", "Visit", "Invoice date", "Valid until"]),
    ("version of four", &["Version", "Firmware", "Build", "Release"]),
    ("price", &["Total", "Amount", "Balance", "Price", "Salary", "Premium"]),
    ("isbn", &["Book", "ISBN", "Title no."]),
    ("ean", &["Barcode", "EAN", "GTIN", "Item"]),
    ("sku", &["SKU", "Model", "Part number", "Serial", "Lot"]),
    ("hash", &["Hash", "SHA", "Checksum", "Commit", "Digest", "ETag"]),
    ("wrong card", &["Invalid card", "Rejected card number", "Test card (bad)"]),
    ("wrong iban", &["Invalid IBAN", "Bad IBAN", "IBAN"]),
    ("wrong ssn", &["Invalid SSN", "Bad SSN"]),
    ("corporation", &["Corporate registration no. (KR)", "Corporation number"]),
    ("zip", &["ZIP", "Zip code", "Postal code"]),
    ("drug", &["NDC", "Drug code", "Rx"]),
    ("lab", &["Lab", "Code", "Dx", "Test code"]),
    ("doi", &["DOI", "Paper", "Source"]),
    ("blood pressure", &["BP", "Blood pressure"]),
    ("rate", &["Rate", "FX", "Exchange rate"]),
    ("number", &["Invoice", "Document", "Claim", "Policy"]),
    ("fingerprint", &["Fingerprint", "Key fingerprint", "Cert"]),
    ("transaction", &["Tx", "Transaction hash", "TxID"]),
    ("stand-in", &["Password", "API key", "Token", "secret"]),
    ("run id", &["Run", "Pod", "Request"]),
    ("starred", &["Card", "SSN", "Phone", "Password"]),
];

const JOINTS: &[&str] = &[
    ": ", ": ", ": ", ":", " : ", " ", " ", "=", " = ", " - ", "\t", "：", "→", " # ", ":\n", " | ",
];

/// 은 behind a closed syllable, 는 behind an open one.
fn topic(label: &str) -> &'static str {
    let last = label.chars().last().map_or(0, u32::from);
    match last {
        0xac00..=0xd7a3 if !(last - 0xac00).is_multiple_of(28) => "은 ",
        0xac00..=0xd7a3 => "는 ",
        _ => ": ",
    }
}

fn labelled(rng: &mut Rng, from: &[Labels], spoken: fn(&str) -> &'static str) -> Made {
    let Some((slot, labels)) = from.get(rng.below(from.len())) else { return Made::plain("") };
    let label = rng.pick(labels);
    let joint = match rng.below(5) {
        0 => spoken(label),
        _ => rng.pick(JOINTS),
    };
    let bracketed = rng.chance(6);
    let (before, behind) = match bracketed {
        true => (format!("{label}("), ")"),
        false => (format!("{label}{joint}"), ""),
    };
    slots::fill(rng, slot).unwrap_or_else(|| Made::plain("")).between(&before, behind)
}

/// Any value behind a Korean label.
pub fn korean(rng: &mut Rng) -> Made {
    labelled(rng, KOREAN, topic)
}

/// Any value behind an English label.
pub fn english(rng: &mut Rng) -> Made {
    labelled(rng, ENGLISH, |_| " is ")
}

/// Any look-alike behind a Korean label.
pub fn korean_harmless(rng: &mut Rng) -> Made {
    labelled(rng, KOREAN_HARMLESS, topic)
}

/// Any look-alike behind an English label.
pub fn english_harmless(rng: &mut Rng) -> Made {
    labelled(rng, ENGLISH_HARMLESS, |_| " is ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_stands_before_a_value() {
        for (slot, _) in KOREAN.iter().chain(ENGLISH) {
            assert!(slots::is_value(slot), "{slot}");
        }
        for (slot, _) in KOREAN_HARMLESS.iter().chain(ENGLISH_HARMLESS) {
            assert!(!slots::is_value(slot), "{slot}");
            assert!(slots::fill(&mut Rng::new(1), slot).is_some(), "{slot}");
        }
    }

    #[test]
    fn particles_follow_the_syllable() {
        assert_eq!((topic("이메일"), topic("계좌"), topic("IBAN")), ("은 ", "는 ", ": "));
    }
}
