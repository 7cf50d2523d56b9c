//! The labels of numbers and dates, Korean and English.

use crate::detectors::labels::Label;

/// Every label with the words that say it. At one place the longest word counts:
/// `사업자등록번호` is no `등록번호`.
pub const LEXICON: &[(Label, &[&str])] = &[
    (Label::Resident, RESIDENT),
    (Label::Corporation, CORPORATION),
    (Label::Business, BUSINESS),
    (Label::Licence, LICENCE),
    (Label::Passport, PASSPORT),
    (Label::Account, ACCOUNT),
    (Label::Bank, BANK),
    (Label::BankShort, BANK_SHORT),
    (Label::Post, &["우체국"]),
    (Label::Transfer, TRANSFER),
    (Label::AnyAccount, &["account", "accounts"]),
    (Label::Phone, PHONE),
    (Label::Birth, BIRTH),
    (Label::Date, DATE),
    (Label::Patient, PATIENT),
    (Label::Registration, &["등록번호", "등록 번호", "registration no", "registration number"]),
    (Label::Other, OTHER),
    (Label::Silent, SILENT),
];

#[rustfmt::skip]
const RESIDENT: &[&str] = &[
    "주민등록번호", "주민 등록번호", "주민등록 번호", "주민등록상", "주민번호", "주민 번호", "주민등록", "주민증", "주민",
    "주번", "민번", "외국인등록번호", "외국인 등록번호", "외국인등록", "외국인번호", "외국인 번호", "거소신고번호",
    "국내거소신고번호", "국내거소", "주민 등록 번호", "외국인 등록 번호", "거소신고", "거소번호", "외등번호", "실명번호", "실명확인번호",
    "rrn", "resident registration", "resident reg", "resident no", "resident number", "resident id", "jumin",
    "juminno", "resident_no", "resident_number", "resident_registration", "residentno", "residentnumber",
    "residentregistration", "national id", "national_id", "nationalid", "korean id",
    "frn", "arc", "alien registration", "alien registration card", "alien registration number", "registration card", "resident card", "residence card", "외국인등록증", "주민등록증", "외국인", "내국인", "alien reg", "foreigner registration", "foreign registration",
    "foreign resident", "alien_registration", "foreigner_registration", "foreign_registration",
    "alienregistration", "foreignerregistration", "arc_no", "foreigner no", "foreigner number", "foreignerno", "foreigner_no", "foreign_no", "foreign no", "foreigner",
];

#[rustfmt::skip]
const CORPORATION: &[&str] = &[
    "법인등록번호", "법인 등록번호", "법인등록 번호", "법인번호", "법인 번호", "법인등기번호", "법인등기", "등기번호", "법인",
    "corporate registration", "corporation registration", "corporation no", "corporation number",
    "corporate no", "corporate number", "company registration", "corp reg", "corp no", "corp. no", "corp. reg", "crn",
    "corporate_registration", "corp_reg_no", "corporate_no", "corp_no", "corpregno", "corporate reg",
];

#[rustfmt::skip]
const BUSINESS: &[&str] = &[
    "사업자등록번호", "사업자 등록번호", "사업자등록 번호", "사업자 등록 번호", "사업자번호", "사업자 번호", "사업자no",
    "사업자 no", "사업자등록증", "사업자등록", "사업자", "사업등록번호", "등록사업자", "공급자번호", "세금계산서", "등록번호(사업자)",
    "brn", "business registration", "business reg", "business no", "business number", "biz no", "biz. no",
    "biz reg", "biz. reg", "biz_no", "bizno", "biz number", "biznumber", "biz_reg_no", "bizregno", "business_registration",
    "business_number", "business_no", "businessnumber", "businessregistration", "business_reg_no",
    "saupja", "tax id", "tax_id", "taxid", "tax registration", "vat no", "corp_biz_no", "company_reg_no", "biz_num",
];

#[rustfmt::skip]
const LICENCE: &[&str] = &[
    "운전면허번호", "운전면허 번호", "운전면허증번호", "운전면허증", "운전면허", "운전 면허", "면허번호", "면허 번호", "면허증번호",
    "면허증 번호", "면허증", "면허",
    "driver's license", "driver's licence", "drivers license", "drivers licence", "driver license",
    "driver licence", "driver’s license", "driver’s licence", "driving license", "driving licence",
    "driver_license", "driver_licence", "drivers_license", "driverslicense", "driverlicense", "license no", "licence no",
    "license number", "licence number", "license_no", "licence_no", "license_number", "licence_number",
    "licenseno", "licensenumber", "license #", "licence #", "license", "licence", "dl no", "dl number", "dl_no", "dl#", "dln", "dl",
];

#[rustfmt::skip]
const PASSPORT: &[&str] = &[
    "여권번호", "여권 번호", "여권no", "여권 no", "여권", "패스포트", "passport", "passports", "passportno",
    "passportnumber", "passport_no", "passport_number", "ppt no", "pp no", "pp#",
];

#[rustfmt::skip]
const ACCOUNT: &[&str] = &[
    "계좌번호", "계좌 번호", "입금계좌", "입금 계좌", "환불계좌", "환불 계좌", "급여계좌", "급여 계좌", "송금계좌", "이체계좌",
    "정산계좌", "정산 계좌", "출금계좌", "출금 계좌", "가상계좌", "가상 계좌", "수취계좌", "계좌", "계좌no", "통장번호", "통장 번호",
    "통장사본", "통장", "예금주", "계번",
    "bank account", "bank accounts", "bank acct", "bank a/c", "account number", "account numbers", "account no",
    "account nos", "account #", "account#", "acct no", "acct. no", "acct number", "acct num", "acct #", "acct#", "acct", "a/c no", "a/c",
    "bank_account", "bankaccount", "account_number", "accountnumber", "account_no", "accountno", "acct_no",
    "acctno", "acc no", "acc. no", "refund account", "deposit account", "payout account", "payroll account", "savings account",
    "checking account", "virtual account", "refund_account", "payout_account", "payroll_account", "deposit_account",
    "salary account", "settlement account",
];

#[rustfmt::skip]
const BANK: &[&str] = &[
    "국민은행", "kb국민은행", "kb국민", "kb 국민", "신한은행", "우리은행", "하나은행", "keb하나은행", "keb하나", "외환은행",
    "농협은행", "nh농협은행", "nh농협", "nh 농협", "농협중앙회", "단위농협", "지역농협", "농협", "농축협", "기업은행", "ibk기업은행",
    "ibk기업", "ibk", "산업은행", "kdb산업은행", "kdb", "수협은행", "수협중앙회", "수협", "제일은행", "sc제일은행", "sc제일", "sc은행",
    "스탠다드차타드", "씨티은행", "한국씨티은행", "시티은행", "대구은행", "im뱅크", "아이엠뱅크", "부산은행", "bnk부산", "경남은행",
    "bnk경남", "광주은행", "전북은행", "제주은행", "카카오뱅크", "카뱅", "케이뱅크", "k뱅크", "케뱅", "토스뱅크", "토뱅", "새마을금고",
    "mg새마을", "신협", "저축은행", "산림조합", "은행", "뱅크", "증권", "우체국예금", "우체국은행",
    "kookmin", "kb bank", "kb kookmin", "shinhan", "woori", "hana bank", "keb hana", "kebhana", "nonghyup", "nh bank",
    "industrial bank of korea", "sc first bank", "standard chartered", "citibank", "kakao bank", "kakaobank",
    "toss bank", "tossbank", "k bank", "kbank", "k-bank", "suhyup", "busan bank", "daegu bank", "im bank", "kyongnam bank",
    "kwangju bank", "jeonbuk bank", "jeju bank", "saemaul", "mg community", "korea post", "bank",
];

#[rustfmt::skip]
const BANK_SHORT: &[&str] = &[
    "국민", "신한", "우리", "하나", "기업", "산업", "제일", "sc", "씨티", "대구", "부산", "경남", "광주", "전북", "제주",
    "카카오", "토스", "외환", "kb", "nh", "mg", "새마을", "hana", "toss", "kakao",
];

#[rustfmt::skip]
const TRANSFER: &[&str] = &[
    "입금", "송금", "이체", "환불", "급여", "납입", "납부", "정산", "무통장", "remit", "remittance", "wire", "transfer",
    "transferred", "deposit", "refund", "refunds",
];

#[rustfmt::skip]
const PHONE: &[&str] = &[
    "연락처", "연락 처", "콜백", "문의", "연락", "비상연락망", "전화번호", "전화 번호", "전화", "휴대전화", "휴대폰", "휴대번호", "휴대 전화", "핸드폰",
    "핸폰", "폰번호", "폰", "휴대", "모바일", "제 번호", "내 번호", "기사님 번호", "번호로", "문자", "팩스", "통화", "유선", "직통", "수신번호", "발신번호", "수신자", "발신자", "대표번호", "대표전화", "집전화", "직장", "사무실",
    "자택", "카톡", "h.p", "h.p.", "hp", "h/p", "c.p", "c.p.", "m.p", "m.p.",
    "phone", "phones", "phoneno", "phonenumber", "telephone", "telephones", "tel", "tel.", "telno", "mobile", "mobileno",
    "mobilenumber", "cell", "cellphone", "cellular", "handphone", "smartphone", "fax", "faxno", "call", "calls", "called", "calling", "dial", "text me", "texted",
    "sms", "msisdn", "whatsapp", "wa.me/", "contact", "contacts", "contactno", "contact_no", "ph", "mob", "landline", "hotline", "callback", "caller", "callerid",
    "caller id", "reach me", "reach him", "reach her", "reach us", "direct line", "office line", "line", "voicemail", "kakaotalk", "viber", "e164",
];

#[rustfmt::skip]
const BIRTH: &[&str] = &[
    "생년월일", "생년 월일", "생년", "생일", "생신", "출생일자", "출생일", "출생년월일", "출생연월일", "출생", "태어난 날", "태어난",
    "태생", "탄생일", "생월일", "생년월",
    "dob", "d.o.b", "d.o.b.", "d/o/b", "date of birth", "birth date", "birth_date", "birthdate", "dateofbirth", "date_of_birth",
    "date-of-birth", "birth-date", "birthday", "birthdays", "birth day", "birth_day", "bday", "b-day", "birth", "birthymd", "birth_dt", "birth_ymd",
    "born", "geburtsdatum", "date de naissance", "fecha de nacimiento",
];

#[rustfmt::skip]
const DATE: &[&str] = &[
    "변경일", "가입일", "입사일", "퇴사일", "발급일", "발행일", "작성일", "계약일", "주문일", "방문일", "진료일", "접수일", "결제일", "만료일",
    "등록일", "등록일시", "수정일", "생성일", "시작일", "종료일", "마감일", "기준일", "신청일", "검사일", "입원일", "퇴원일", "수술일", "처방일",
    "내원일", "예약일", "배송일", "출고일", "입고일", "출시일", "납기", "기한", "일시", "유효기간", "유효", "날짜", "일자", "입사", "가입",
    "발급", "방문", "계약", "접수", "내원", "입원", "퇴원", "진료", "예약", "작성", "등록", "쿠폰", "이벤트", "파티", "까지", "부터", "갱신",
    "issued", "issue date", "issued on", "expires", "expiry", "expiration", "expired", "exp", "created", "created_at", "updated", "updated_at", "modified",
    "visit", "visited", "admission", "admitted", "discharged", "discharge", "hired", "hire date", "hire_date", "joined", "join date", "start date",
    "end date", "due", "due date", "deadline", "effective", "signed", "date of issue", "date of hire", "date of visit", "date of service",
    "appointment", "scheduled", "released", "release", "since", "until", "valid", "seen", "registered", "meeting", "event", "enrolled",
];

#[rustfmt::skip]
const PATIENT: &[&str] = &[
    "환자등록번호", "환자 등록번호", "환자번호", "환자 번호", "환자id", "환자 id", "병록번호", "병록 번호", "병록", "차트번호", "차트 번호", "차트no", "차트 no",
    "진료번호", "진료카드 번호", "진료카드", "진료카드번호", "진료등록번호", "의무기록번호", "의무기록 번호", "병원등록번호", "병원 등록번호", "원내번호", "환자등록", "진찰권번호", "진찰권",
    "mrn", "mrn no", "mrn#", "medical record number", "medical record no", "medical record #", "medical record", "medical_record_number",
    "medicalrecordnumber", "medical_record_no", "medical_record", "med rec", "med. rec", "patient id", "patient no", "patient number", "patient #", "patient#", "patient_id", "patientid", "patient_no",
    "patientno", "patient_number", "patientnumber", "chart no", "chart number", "chart #", "chart#", "chart_no", "chartno",
    "chart_number", "chartnumber", "hospital number", "hospital no", "hospital id", "record no", "record number", "emr no", "emr id", "ehr id", "hosp no",
];

#[rustfmt::skip]
const OTHER: &[&str] = &[
    "주문번호", "주문 번호", "주문", "주문id", "운송장번호", "운송장 번호", "운송장", "송장번호", "송장 번호", "송장", "택배", "우체국택배",
    "우체국 택배", "등기", "소포", "배송", "바코드", "시리얼", "일련번호", "제품번호", "상품번호", "상품코드", "상품 코드", "품번", "품목", "모델", "모델명", "접수번호",
    "접수 번호", "문의번호", "예약번호", "예약 번호", "티켓", "사건번호", "관리번호", "승인번호", "승인 번호", "거래번호", "거래 번호", "결제번호", "결제 번호", "추적번호",
    "문서번호", "고객번호", "회원번호", "사번", "학번", "우편번호", "증권번호", "계약번호", "쿠폰번호", "특허", "특허등록번호", "디자인등록번호", "저작권등록번호", "자동차등록번호", "출판등록번호", "잔액", "상표등록번호", "차량등록번호",
    "차량번호", "카드번호", "카드 번호", "카드", "허가번호", "인증번호", "인증 번호", "특허번호", "출원번호", "사업장관리번호", "통신판매", "통신판매업신고번호",
    "로트", "버전", "타임스탬프", "에포크", "견적번호", "청구번호", "전표", "전표번호", "발주번호", "발주", "참조번호", "민원번호", "신고번호", "의료기관번호", "요양기관번호",
    "면허등록번호", "자격번호", "자격증번호", "연구번호", "과제번호", "고지번호", "전자납부번호", "납부번호", "좌석", "번들", "세션", "이미지", "상태코드", "금액", "가격", "합계", "총액",
    "delivery", "package", "order", "orders", "order no", "order number", "order id", "order_id", "order_no", "orderid", "orderno", "order_number", "ordernumber", "tracking", "tracking no",
    "tracking number", "tracking_no", "tracking_number", "trackingnumber", "shipment", "parcel", "waybill", "invoice", "invoice no", "inv", "ticket", "case", "serial", "serial no",
    "s/n", "sn", "barcode", "ean", "isbn", "upc", "gtin", "sku", "asin", "imei", "imsi", "iccid", "lot", "batch", "part no", "part number", "p/n", "model", "version", "build", "rev",
    "timestamp", "epoch", "ts", "unix", "created_ts", "millis", "txn", "tx", "transaction", "transaction id", "transaction_id", "transactionid", "payment id", "payment_id", "receipt", "reference", "ref",
    "ref no", "po", "po number", "purchase order", "quote", "booking", "reservation", "confirmation", "pnr", "flight", "request", "request id", "request_id", "req", "req_id", "trace", "trace_id", "span_id", "session",
    "session_id", "card", "card no", "card number", "card_number", "cardnumber", "zip", "zipcode", "postal", "doi", "pmid", "policy", "claim", "member no", "customer no", "customer id", "customer_id", "user_id", "userid", "user id", "employee",
    "employee id", "aws account", "account id", "account_id", "accountid", "aws", "project id", "item", "product", "article", "sequence", "seq", "hash", "checksum", "commit", "sha", "digest", "ssn", "itin", "nct", "cas", "ndc",
    "drug", "lab", "vin", "patent", "job", "job_id", "run_id", "message_id", "msgid", "port", "pid", "id", "total", "amount", "price", "size", "bytes",
];

#[rustfmt::skip]
const SILENT: &[&str] = &[
    "주문자", "주문인", "주문하신", "주문 관련", "주문 취소", "주문 건", "배송지", "배송기사", "배송 기사", "배송 문의", "배송 관련", "배송문의", "택배기사", "택배 기사",
    "예약자", "계약자", "발급자", "방문자", "등록자", "접수자", "작성자", "신청자", "가입자", "카드사", "카드 명의", "모델하우스", "하나씩", "하나의", "하나도", "하나만", "우리의", "우리는", "우리도",
    "birthday dinner", "birthday party", "birthday gift", "birthday cake", "birthday card", "생일파티", "생일 파티", "생일선물", "생일 선물", "주민센터", "주민등록초본", "주민등록등본", "주민 여러분",
];
