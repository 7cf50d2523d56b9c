//! Korean bank accounts: 10 to 14 digits in the groups of the bank.
//!
//! Structures are those that the banks publish (금융결제원 계좌번호 체계): 3-2-6 (신한, 농협, 하나
//! ...), 6-2-6 (국민, 농협, 우체국), 4-3-6 (우리), 3-6-2-3 (기업), 3-6-5 (하나), 4-2-7
//! (카카오뱅크), 4-4-4 (토스뱅크), 3-4-4-2 (신협, 새마을금고) and more. There is no common
//! checksum, and new groupings appear: so any grouping counts, but the account must be
//! named, or the bank next to it.

use contract::masking::PiiType;

use crate::detectors::labels::{Label, Labels, Near};
use crate::detectors::numerals::{Joints, Reading, read, read_broken, read_chain, stands_alone};
use crate::detectors::phone::is_korean_number;
use crate::evidence::words;
use crate::resolve::{Candidates, Level};
use crate::scene::Scene;

words! {
    /// Where the post office carries parcels.
    PARCELS = ["택배", "등기", "소포", "운송장", "송장", "배송", "tracking", "parcel"]
}

/// Digits of an account.
const DIGITS: std::ops::RangeInclusive<usize> = 10..=14;

/// Groups of an account; between hyphens.
const GROUPS_MAX: usize = 5;

/// How far off may be, in characters: the label, the bank, a bank's short name.
const ACCOUNT_CHARS: usize = 30;
const BANK_CHARS: usize = 18;
const SHORT_CHARS: usize = 3;

/// How far off the word that money goes may be where the bank stands behind, in characters.
const TRANSFER_CHARS: usize = 4;

/// How far behind the bank may stand.
const BEHIND_CHARS: usize = 3;

/// Puts down every account.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    let mut labels = Labels::of(scene);
    let mut free = 0;
    for first in 0..scene.digits().len() {
        if scene.digits().get(first).is_none_or(|run| run.start < free) {
            continue;
        }
        let Some(account) = account(scene, first) else { continue };
        let end = account.span.end;
        let Some(level) = level(scene, &mut labels, &account) else { continue };
        found.pii(PiiType::KrBankAccount, account.span, level);
        free = end;
    }
}

fn account(scene: &Scene<'_>, first: usize) -> Option<Reading> {
    let is_account = |reading: &Reading| stands_alone(scene, reading);
    by_hyphens(scene, first)
        .filter(is_account)
        .or_else(|| by_blanks(scene, first).filter(is_account))
        .or_else(|| bare(scene, first).filter(is_account))
}

fn by_hyphens(scene: &Scene<'_>, first: usize) -> Option<Reading> {
    let (reading, lengths) = read_chain(scene, first, Joints::HYPHEN, GROUPS_MAX)?;
    let is_grouped = lengths.len() >= 2 && lengths.first().is_some_and(|first| *first >= 2);
    let is_date = matches!(*lengths, [4, 2, 2, ..]);
    let fits = DIGITS.contains(&lengths.iter().sum()) && is_grouped && !is_date;
    fits.then_some(reading).or_else(|| by_broken_hyphens(scene, first))
}

/// Groups that a blank or the end of a line broke up, or that have blanks between digits.
fn by_broken_hyphens(scene: &Scene<'_>, first: usize) -> Option<Reading> {
    let run = scene.digits().get(first)?;
    let near = scene.bytes().get(run.start..scene.text().len().min(run.end + BROKEN_BYTES))?;
    let begins = (2..=6).contains(&run.len()) && near.contains(&b'\n');
    let fits = |lengths: &&[usize]| {
        read(scene, first, lengths).is_some_and(|reading| reading.joints == Joints::HYPHEN)
    };
    let lengths = begins.then(|| STRUCTURES.iter().copied().find(fits))??;
    read(scene, first, lengths)
}

fn by_blanks(scene: &Scene<'_>, first: usize) -> Option<Reading> {
    if scene.joint(first).joint()? != Joints::SPACE {
        return None;
    }
    let (_, lengths) = read_chain(scene, first, Joints::SPACE, GROUPS_MAX)?;
    if lengths.iter().sum::<usize>() < *DIGITS.start() {
        return None;
    }
    let readings = STRUCTURES.iter().filter_map(|lengths| read(scene, first, lengths));
    readings.max_by_key(|reading| reading.span.len())
}

/// Digits alone, whole or broken over a line.
fn bare(scene: &Scene<'_>, first: usize) -> Option<Reading> {
    let run = scene.digits().get(first)?;
    let next = scene.digits().get(first + 1);
    let broken = || read_broken(scene, first, run.len() + next?.len());
    match run.len() {
        length if DIGITS.contains(&length) => read(scene, first, &[length]),
        length if length < *DIGITS.start() => {
            broken().filter(|reading| DIGITS.contains(&scene.digits_of(reading.span.clone()).len()))
        }
        _ => None,
    }
}

/// How far from its first group an account may break, in bytes.
const BROKEN_BYTES: usize = 24;

/// The groupings in use, for where groups are not held together by hyphens alone.
const STRUCTURES: &[&[usize]] = &[
    &[3, 2, 6],
    &[6, 2, 6],
    &[4, 3, 6],
    &[3, 6, 2, 3],
    &[3, 6, 5],
    &[4, 2, 7],
    &[4, 4, 4],
    &[3, 4, 4, 2],
    &[3, 3, 6],
    &[3, 4, 4],
    &[3, 2, 7],
    &[3, 2, 5],
    &[3, 6, 3],
    &[3, 2, 5, 1],
    &[3, 2, 6, 1],
    &[3, 4, 4, 1],
    &[4, 2, 6],
    &[4, 2, 6, 1],
    &[3, 8, 3],
    &[3, 3, 8],
    &[3, 4, 6],
    &[6, 2, 5, 1],
    &[6, 2, 4],
    &[3, 6, 2, 2],
    &[4, 4, 4, 1],
    &[3, 4, 5],
    &[3, 2, 4, 3],
    &[3, 6, 4],
    &[3, 3, 5],
    &[4, 4, 5],
    &[4, 8],
    &[3, 9],
    &[3, 8],
    &[3, 7],
    &[6, 6],
    &[4, 9],
    &[6, 8],
    &[3, 10],
];

fn level(scene: &Scene<'_>, labels: &mut Labels<'_, '_>, account: &Reading) -> Option<Level> {
    let grouped = account.joints == Joints::HYPHEN;
    let near = labels.before(account.span.start);
    let named = near.and_then(|near| named(near, account)).or_else(|| {
        let any = near.is_some_and(|near| near.is(&[Label::AnyAccount], BANK_CHARS));
        let banks = [Label::Bank, Label::BankShort, Label::Post, Label::Transfer];
        (any && labels.around(&account.span, &banks, ACCOUNT_CHARS)).then_some(Level::Likely)
    });
    let level = named.or_else(|| {
        let other = near.is_some_and(|near| near.is(OTHERS, BANK_CHARS));
        let (behind, _) = labels.behind(account.span.end, BEHIND_CHARS)?;
        let moved = near.is_some_and(|near| near.is(&[Label::Transfer], TRANSFER_CHARS));
        let banks = [Label::Bank, Label::BankShort, Label::Post];
        let named = (is_bank_behind(behind) && (grouped || behind.gap.trim() == "("))
            || (moved && banks.contains(&behind.label) && is_thin(behind.gap));
        (named && !other).then_some(Level::Likely)
    })?;
    let digits = scene.digits_of(account.span.clone());
    let is_sure = level == Level::Certain && !near.is_some_and(|near| near.asks);
    let is_phone = is_korean_number(&digits) && !is_sure && ends_like_phone(scene, account);
    let parcel = near.is_some_and(|near| near.label == Label::Post)
        && (scene.says_before_on_line(account.span.start, &PARCELS)
            || scene.says_behind_on_line(account.span.end, &PARCELS))
        && !labels.around(&account.span, &[Label::Account], BANK_CHARS);
    let is_other = is_time(&digits, account) || is_amount(scene, account);
    (!is_phone && !parcel && !is_other).then_some(level)
}

/// Whether the last group is that of a telephone number.
fn ends_like_phone(scene: &Scene<'_>, account: &Reading) -> bool {
    let last = scene.digits().get(account.last).map_or(0, |run| run.len());
    let is_mobile = scene.slice(account.span.clone()).starts_with("010");
    if account.joints == Joints::NONE { is_mobile } else { last == 4 }
}

/// Labels of other numbers.
const OTHERS: &[Label] = &[
    Label::Other,
    Label::Phone,
    Label::Resident,
    Label::Business,
    Label::Corporation,
    Label::Licence,
];

fn named(near: Near<'_>, account: &Reading) -> Option<Level> {
    let grouped = account.joints != Joints::NONE;
    match near.label {
        _ if near.asks && !(grouped && near.label == Label::Account) => None,
        Label::Account if near.chars() <= ACCOUNT_CHARS => Some(Level::Certain),
        Label::Bank if near.chars() <= BANK_CHARS => Some(Level::Strong),
        Label::Post if near.chars() <= SHORT_CHARS => Some(Level::Likely),
        Label::BankShort if near.chars() <= SHORT_CHARS && is_thin(near.gap) => Some(Level::Likely),
        Label::Transfer | Label::AnyAccount if grouped && near.chars() <= BANK_CHARS => {
            Some(Level::Likely)
        }
        _ => None,
    }
}

/// Whether nothing but marks and blanks stands between.
fn is_thin(gap: &str) -> bool {
    gap.chars().all(|c| matches!(c, ' ' | '\t' | ':' | '(' | ')' | '/' | '-' | '"' | '|' | ','))
}

fn is_bank_behind(near: Near<'_>) -> bool {
    match near.label {
        Label::Bank => is_thin(near.gap),
        Label::BankShort | Label::Post => near.gap.trim() == "(",
        _ => false,
    }
}

/// Whether digits alone count money.
fn is_amount(scene: &Scene<'_>, account: &Reading) -> bool {
    let behind = scene.chars_behind(account.span.end, 4).trim_start();
    let units = ["원", "달러", "엔", "KRW", "USD", "won", "건"];
    account.joints == Joints::NONE && units.iter().any(|unit| behind.starts_with(unit))
}

/// Whether digits alone write a time: `20240105103000`.
fn is_time(digits: &[u8], account: &Reading) -> bool {
    account.joints == Joints::NONE
        && digits.len() == 14
        && (digits.starts_with(&[2, 0, 2]) || digits.starts_with(&[2, 0, 1]))
        && digits.get(4).is_some_and(|month| *month <= 1)
}

#[cfg(test)]
mod tests {
    use contract::masking::PiiType;

    use crate::detectors::trial::{hits, misses};

    const HITS: &[&str] = &[
        "계좌번호: ⟦110-123-456789⟧",
        "신한은행 ⟦110-123-456789⟧ 홍길동",
        "국민은행 ⟦123456-01-123456⟧으로 입금 부탁드립니다",
        "우리은행 ⟦1002-123-456789⟧",
        "기업은행 계좌 ⟦123-456789-01-234⟧",
        "농협 ⟦302-1234-5678-91⟧ 예금주 김철수",
        "카카오뱅크 ⟦3333-01-1234567⟧",
        "토스뱅크 ⟦1000-1234-5678⟧로 보내주세요",
        "국민 ⟦123456-01-123456⟧ 홍길동",
        "새마을금고 ⟦9003-1234-5678-9⟧",
        "우체국 ⟦012345-01-123456⟧",
        "환불 계좌는 ⟦110123456789⟧입니다",
        "bank account: ⟦110-123-456789⟧",
        "Shinhan Bank ⟦110-123-456789⟧",
        "\"account_number\": \"⟦110123456789⟧\"",
        "\"accountNumber\":\"⟦110-123-456789⟧\"",
        "⟦110-123-456789⟧ 신한은행 홍길동",
        "⟦110-123-456789⟧(신한)",
        "이름,은행,계좌번호\n홍길동,신한,⟦110123456789⟧",
        "입금: ⟦351-1234-5678-93⟧",
        "케이뱅크 ⟦100-123-456789⟧",
        "계좌번호 ⟦110-123-\n456789⟧",
        "계좌번호 ⟦1 1 0 - 1 2 3 - 4 5 6 7 8 9⟧",
        "계좌 ⟦110 123 456789⟧ 입니다",
    ];

    const MISSES: &[&str] = &[
        "110-123-456789",
        "110123456789",
        "주문번호 110-123-456789",
        "우체국 택배 운송장 6012345678901",
        "우체국 등기 1234-5678-9012-3",
        "우리 회사 110123456789",
        "하나 더 123456789012",
        "거래일시 20240105103000",
        "국민카드 승인번호 1234567890",
        "신한카드 1234-5678-9012",
        "계좌 개설일 2024-01-05 10:30",
        "AWS account 123456789012",
        "account_id: 123456789012",
        "계좌번호 110-***-456789",
        "은행에서 1,234,567,890원 대출",
        "신한은행 고객센터 1599-8000",
        "tracking 1234567890123 from bank",
    ];

    #[test]
    fn finds_accounts() {
        hits(PiiType::KrBankAccount, HITS);
    }

    #[test]
    fn leaves_what_only_looks_so() {
        misses(MISSES);
    }
}
