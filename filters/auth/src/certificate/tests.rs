use super::*;

fn certificates() -> Certificates {
    let tenant = |patterns: &[&str]| TenantConfig {
        mtls: patterns.iter().map(|pattern| (*pattern).to_owned()).collect(),
        ..TenantConfig::default()
    };
    Certificates::compile(
        &[
            ("acme".to_owned(), tenant(&["spiffe://acme/*", "*.Acme.example"])),
            ("beta".to_owned(), tenant(&["spiffe://beta/*", "host.acme.example", "*beta*"])),
            ("none".to_owned(), tenant(&[])),
        ]
        .into(),
    )
}

fn shown<'a>(uri: &'a str, dns: &'a str) -> Certificate<'a> {
    let some = |name: &'a str| Some(name).filter(|name| !name.is_empty());
    Certificate { uri: some(uri), dns: some(dns) }
}

#[test]
fn alone_it_is_of_one_tenant() {
    let table = [
        ("spiffe://acme/ci", "", Ok(("acme", "mtls:spiffe://acme/ci"))),
        ("spiffe://beta/ci", "", Ok(("beta", "mtls:spiffe://beta/ci"))),
        ("", "a.acme.example", Ok(("acme", "mtls:a.acme.example"))),
        ("", "A.ACME.Example", Ok(("acme", "mtls:A.ACME.Example"))),
        ("spiffe://acme/ci", "a.acme.example", Ok(("acme", "mtls:spiffe://acme/ci"))),
        ("spiffe://other/x", "a.acme.example", Ok(("acme", "mtls:a.acme.example"))),
        // Both tenants have a pattern for it.
        ("", "host.acme.example", Err(Code::Forbidden)),
        ("spiffe://acme/ci", "my-beta", Err(Code::Forbidden)),
        // Nobody's, and nobody's by another case or kind of name.
        ("", "", Err(Code::MissingCredentials)),
        ("spiffe://other/x", "other", Err(Code::MissingCredentials)),
        ("SPIFFE://ACME/ci", "", Err(Code::MissingCredentials)),
        ("spiffe://acme.evil/ci", "", Err(Code::MissingCredentials)),
        ("x-spiffe://acme/ci", "", Err(Code::MissingCredentials)),
        ("https://evil/x.Acme.example", "", Err(Code::MissingCredentials)),
        ("spiffe://other/beta", "", Err(Code::MissingCredentials)),
        ("a.acme.example", "", Err(Code::MissingCredentials)),
        ("", "spiffe://acme/ci", Err(Code::MissingCredentials)),
        ("spiffe://acme/\u{0}", "\n.acme.example", Err(Code::MissingCredentials)),
    ];
    for (uri, dns, expected) in table {
        let caller = certificates().caller(&shown(uri, dns));
        let outcome = caller.as_ref().map(|c| (c.tenant.as_str(), c.key.as_str()));
        assert_eq!(outcome.map_err(|refusal| refusal.code), expected, "{uri} {dns}");
    }
}

#[test]
fn its_caller_may_do_what_the_tenant_may() {
    let caller = certificates().caller(&shown("spiffe://acme/ci", "")).unwrap();
    assert_eq!((caller.roles, caller.user, caller.means), (Roles::All, None, Means::Certificate));
}

#[test]
fn beside_a_credential_it_is_of_the_same_tenant() {
    let mut caller = certificates().caller(&shown("spiffe://acme/ci", "")).unwrap();
    let table = [
        ("acme", "spiffe://acme/ci", "", true),
        ("acme", "", "host.acme.example", true),
        ("beta", "", "host.acme.example", true),
        ("beta", "spiffe://acme/ci", "", false),
        ("acme", "", "", false),
        ("none", "spiffe://acme/ci", "", false),
    ];
    for (tenant, uri, dns, expected) in table {
        caller.tenant = tenant.to_owned();
        let outcome = certificates().check(&shown(uri, dns), &caller);
        let expected = if expected { Ok(()) } else { Err(Code::Forbidden) };
        assert_eq!(outcome.map_err(|refusal| refusal.code), expected, "{tenant} {uri} {dns}");
    }
}

#[test]
fn stars_alone_take_any_name() {
    let config = TenantConfig { mtls: vec!["*".to_owned()], ..TenantConfig::default() };
    let certificates = Certificates::compile(&[("acme".to_owned(), config)].into());
    for (uri, dns, expected) in [("urn:x", "", true), ("", "x", true), ("", "", false)] {
        assert_eq!(certificates.caller(&shown(uri, dns)).is_ok(), expected, "{uri} {dns}");
    }
}

#[test]
fn a_long_name_is_cut_for_records() {
    let uri = format!("spiffe://acme/{}", "한".repeat(200));
    let caller = certificates().caller(&shown(&uri, "")).unwrap();
    assert_eq!(caller.key.len(), 256 - (256 - "mtls:spiffe://acme/".len()) % 3);
    assert!(format!("mtls:{uri}").starts_with(&caller.key));
}
