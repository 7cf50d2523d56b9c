//! Numbers of orders, parcels, tickets, parts and documents stay: what stands right
//! before them says what they are, or the letters that they begin with.
//!
//! There is no standard for them; the nouns are those of Korean and English shops,
//! carriers and help desks.

use std::ops::Range;

use super::naming::{Naming, named, token_at};
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

/// Nouns that name a number by themselves.
const NAMES: &[&str] = &[
    "운송장",
    "송장",
    "등기",
    "바코드",
    "시리얼",
    "일련",
    "품번",
    "부품",
    "제품번호",
    "상품번호",
    "상품코드",
    "모델명",
    "모델",
    "로트",
    "주문번호",
    "접수번호",
    "예약번호",
    "티켓",
    "승인번호",
    "거래번호",
    "문서번호",
    "사건번호",
    "민원번호",
    "관리번호",
    "참조번호",
    "청구번호",
    "계약번호",
    "증권번호",
    "재고번호",
    "편명",
    "tracking",
    "trackingnumber",
    "waybill",
    "awb",
    "barcode",
    "sku",
    "serial",
    "imei",
    "imei2",
    "meid",
    "iccid",
    "part",
    "p/n",
    "pn",
    "s/n",
    "sn",
    "lot",
    "batch",
    "upc",
    "ean",
    "ean-13",
    "ean13",
    "gtin",
    "isbn",
    "isbn-13",
    "isbn-10",
    "isbn13",
    "issn",
    "asin",
    "rma",
    "model",
    "mpn",
    "oem",
    "vin",
    "hs",
    "우편",
    "zip",
    "zip code",
    "postal",
    "postcode",
    "commit",
    "build",
];

/// Nouns that do so together with a word like `number`.
const NOUNS: &[&str] = &[
    "주문",
    "접수",
    "예약",
    "승인",
    "거래",
    "문서",
    "사건",
    "민원",
    "관리",
    "참조",
    "청구",
    "계약",
    "증권",
    "상품",
    "제품",
    "견적",
    "발주",
    "입고",
    "출고",
    "배송",
    "택배",
    "영수증",
    "인보이스",
    "문의",
    "신고",
    "처리",
    "요청",
    "작업",
    "게시글",
    "글",
    "세션",
    "결제",
    "환불",
    "반품",
    "교환",
    "쿠폰",
    "공고",
    "허가",
    "특허",
    "출원",
    "order",
    "ticket",
    "invoice",
    "receipt",
    "booking",
    "reservation",
    "confirmation",
    "case",
    "request",
    "transaction",
    "txn",
    "reference",
    "ref",
    "quote",
    "purchase",
    "po",
    "shipment",
    "delivery",
    "package",
    "parcel",
    "item",
    "product",
    "article",
    "document",
    "doc",
    "incident",
    "issue",
    "job",
    "session",
    "trace",
    "claim",
    "contract",
    "policy",
    "return",
    "refund",
    "coupon",
    "patent",
    "application",
    "approval",
    "authorization",
    "auth",
    "catalog",
    "stock",
    "asset",
    "device",
    "message",
    "event",
    "post",
    "page",
    "row",
    "build",
    "work order",
];

/// Letters that numbers begin with.
const FRONTS: &[&str] = &[
    "ord", "order", "inv", "invoice", "po", "so", "tkt", "ticket", "trk", "track", "tx", "txn",
    "trx", "ref", "case", "req", "sr", "inc", "chg", "prb", "pn", "sku", "sn", "lot", "doc", "qt",
    "quote", "est", "rma", "bk", "res", "shp", "ship", "awb", "pkg", "batch", "no", "id", "prod",
    "item", "part", "job", "task", "cs", "cve", "rfq", "dlv", "pay", "rcpt", "img", "log", "evt",
    "msg", "bug", "jira", "qna", "wo", "mo", "gr", "asn", "hs", "isbn", "model", "mdl",
];

/// Fewer digits are taken for nothing else.
const DIGITS_MIN: usize = 6;

/// Puts down every number that is called one of these.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    let mut from = 0;
    for run in scene.digits() {
        if run.start < from {
            continue;
        }
        let token = token_at(scene, run.start);
        from = token.end;
        let digits = scene.bytes().get(token.clone()).unwrap_or_default();
        if digits.iter().filter(|byte| byte.is_ascii_digit()).count() >= DIGITS_MIN {
            whole(scene, token, found);
        } else if run.len() >= 3 {
            spaced(scene, token, found);
        }
    }
}

fn whole(scene: &Scene<'_>, token: Range<usize>, found: &mut Candidates) {
    let fronted = has_front(scene.slice(token.clone()));
    if let Some(level) = fronted.then_some(Level::Certain).or_else(|| called(scene, token.start)) {
        found.innocent(token, level);
    }
}

/// Most groups behind the first one of a number with spaces: those of parcels have six.
const GROUPS_MAX: usize = 8;

/// Groups of three and four digits with spaces, as parcels have them.
fn spaced(scene: &Scene<'_>, token: Range<usize>, found: &mut Candidates) {
    let is_group = |at: usize| {
        let group = scene.bytes().get(at..).unwrap_or_default();
        group.iter().take(5).take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut end = token.end;
    for _ in 0..GROUPS_MAX {
        if scene.byte(end) != Some(b' ') || !matches!(is_group(end + 1), 3 | 4) {
            break;
        }
        end += 1 + is_group(end + 1);
    }
    let is_number = end > token.end && scene.digits_of(token.start..end).len() >= DIGITS_MIN;
    if is_number && called(scene, token.start) == Some(Level::Certain) {
        found.innocent(token.start..end, Level::Certain);
    }
}

/// How surely what stands before a place names such a number.
fn called(scene: &Scene<'_>, at: usize) -> Option<Level> {
    if named(scene, at, NAMES).is_some() {
        return Some(Level::Certain);
    }
    Some(match named(scene, at, NOUNS)? {
        Naming::Number => Level::Certain,
        Naming::Noun => Level::Shape,
    })
}

/// `ORD-20260115-1234567`
fn has_front(token: &str) -> bool {
    let letters = token.bytes().take_while(u8::is_ascii_alphabetic).count();
    let marked = matches!(token.as_bytes().get(letters), Some(b'-' | b'_'));
    let front = token.get(..letters).unwrap_or_default();
    marked && FRONTS.iter().any(|known| known.eq_ignore_ascii_case(front))
}

#[cfg(test)]
mod tests {
    use crate::detectors::trial::misses;

    const MISSES: &[&str] = &[
        "주문번호 260115-1234567",
        "주문번호: 20260115-0012345",
        "운송장번호 123-45-67890 조회",
        "송장 6123-4567-8901",
        "운송장 6123 4567 8901",
        "접수번호는 900101-1234568입니다",
        "티켓 번호 010-1234-5678",
        "품번 010-4821-7733",
        "part no. 031-123-4567",
        "Order No. #010-9876-5432",
        "\"order_id\":\"01012345678\"",
        "orderNo=900101-1234568",
        "tracking number 123456789012",
        "invoice number INV-2026-0115-0001",
        "ORD-260115-1234567 배송",
        "TKT-010-1234-5678",
        "serial: 02-123-4567",
        "SKU 8801-234-56789",
        "lot 260115-1234567",
        "IMEI 356938035643809",
        "승인번호 12345678",
        "예약번호 K260115-1234567",
        "인보이스 번호 2026-0115-1234",
        "우체국 등기번호 1234567890123",
    ];

    #[test]
    fn leaves_numbers_that_say_what_they_are() {
        misses(MISSES);
    }
}
