//! Texts that every database can hold. PostgreSQL's cannot hold U+0000 (PostgreSQL,
//! "Character Types"), which a client can put into the name of a model or of a user: a
//! batch with it could never be posted, and the spool would stand still. U+FFFD stands for
//! it in every database, so that hashes and names of accounts are the same in all.

use crate::record::UsageRecord;
use contract::lease::LeaseRequest;

/// A record with texts that can be stored.
pub(crate) fn record(mut record: UsageRecord) -> UsageRecord {
    for text in [&mut record.id, &mut record.tenant, &mut record.key] {
        replace(text);
    }
    let optional = [
        &mut record.client_request_id,
        &mut record.user,
        &mut record.model,
        &mut record.pool,
        &mut record.endpoint,
        &mut record.path,
        &mut record.code,
        &mut record.price_version,
        &mut record.organisation,
    ];
    optional.into_iter().flatten().for_each(replace);
    record
}

/// A request for leases with names that can be stored.
pub(crate) fn request(mut request: LeaseRequest) -> LeaseRequest {
    replace(&mut request.process);
    request.wanted.iter_mut().for_each(|wanted| replace(&mut wanted.account));
    request
}

fn replace(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tests;
    use contract::lease::Wanted;

    #[test]
    fn no_text_of_a_record_is_left_with_it() {
        let odd = || Some("a\0b".to_owned());
        let spoilt = UsageRecord {
            id: "r\0".to_owned(),
            tenant: "\0t".to_owned(),
            key: "k\0\0".to_owned(),
            client_request_id: odd(),
            user: odd(),
            model: odd(),
            pool: odd(),
            endpoint: odd(),
            path: odd(),
            code: odd(),
            price_version: odd(),
            organisation: odd(),
            ..tests::record("r")
        };
        let stored = record(spoilt);
        assert_eq!((stored.id.as_str(), stored.tenant.as_str()), ("r\u{fffd}", "\u{fffd}t"));
        assert_eq!(stored.model.as_deref(), Some("a\u{fffd}b"));
        assert!(!serde_json::to_string(&stored).unwrap().contains(r"\u0000"));
        assert_eq!(record(tests::record("r")), tests::record("r"));
    }

    #[test]
    fn an_account_has_one_name_in_records_and_leases() {
        let wanted = Wanted { account: "user/acme/a\0b".to_owned(), need: 1, lease: 0 };
        let process = "p\0".to_owned();
        let asked = request(LeaseRequest { process, wanted: vec![wanted], returned: Vec::new() });
        assert_eq!(asked.process, "p\u{fffd}");
        assert_eq!(asked.wanted[0].account, "user/acme/a\u{fffd}b");
    }
}
