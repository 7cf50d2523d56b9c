//! Numbers of papers, drugs, tests and substances stay: DOI (ISO 26324), the National
//! Drug Code (21 CFR 207.33), LOINC, ICD-10, CAS registry numbers, PubMed and clinical
//! trials.

use super::naming::{named, token_at};
use crate::resolve::{Candidates, Level};
use crate::scene::{Digits, Scene};

/// Nouns that name one.
const NOUNS: &[&str] = &[
    "ndc",
    "loinc",
    "icd",
    "icd-10",
    "icd10",
    "kcd",
    "cas",
    "pmid",
    "pmcid",
    "doi",
    "atc",
    "snomed",
    "snomed ct",
    "cpt",
    "hcpcs",
    "edi",
    "약품",
    "보험",
    "검사",
    "수가",
    "질병",
    "kd",
    "rxnorm",
    "rxcui",
    "arxiv",
    "orcid",
    "nct",
    "udi",
];

/// Puts down every number that is one, or is called so.
pub fn find(scene: &Scene<'_>, found: &mut Candidates) {
    for run in scene.digits() {
        if let Some(end) = doi_end(scene, *run) {
            found.innocent(run.start..end, Level::Certain);
        } else if run.len() >= 4 || scene.byte(run.end) == Some(b'-') {
            called(scene, *run, found);
        }
    }
}

fn called(scene: &Scene<'_>, run: Digits, found: &mut Candidates) {
    let token = token_at(scene, run.start);
    let digits = scene.slice(token.clone()).bytes().filter(u8::is_ascii_digit).count();
    if token.start == run.start && digits >= 6 && named(scene, token.start, NOUNS).is_some() {
        found.innocent(token, Level::Certain);
    }
}

/// ISO 26324 §4.1: `10.`, the registrant's number, `/` and anything.
fn doi_end(scene: &Scene<'_>, run: Digits) -> Option<usize> {
    let rest = scene.slice(run.start..scene.text().len()).strip_prefix("10.")?;
    let registrant = rest.bytes().take(9).take_while(u8::is_ascii_digit).count();
    let name = rest.get(registrant..)?.strip_prefix('/')?;
    let belongs = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._;()/:".contains(byte);
    let length = name.bytes().take(100).take_while(belongs).count();
    let fits = (4..=9).contains(&registrant) && length > 0 && run.len() == 2;
    fits.then_some(run.start + 3 + registrant + 1 + length)
}

#[cfg(test)]
mod tests {
    use crate::detectors::trial::misses;

    const MISSES: &[&str] = &[
        "doi:10.1038/s41586-020-2649-2",
        "https://doi.org/10.1000/010-1234-5678",
        "10.1145/3292500.3330701",
        "NDC 0002-8215-01",
        "NDC 50580-010-1234",
        "LOINC 2345-7",
        "ICD-10 E11.9",
        "CAS 107-07-3",
        "CAS 7732-18-5",
        "PMID 01012345678",
        "혈압 120/80",
        "BP 118/76 mmHg",
        "약품코드 645100260",
        "ORCID 0000-0002-1825-0097",
        "NCT01234567",
        "arXiv:2101.12345",
    ];

    #[test]
    fn leaves_papers_and_drugs() {
        misses(MISSES);
    }
}
