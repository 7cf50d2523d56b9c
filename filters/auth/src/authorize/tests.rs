use super::*;

mod naive;

fn role(models: &[&str], paths: &[&str]) -> RoleConfig {
    let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    RoleConfig { models: own(models), paths: own(paths), ..RoleConfig::default() }
}

fn denying(mut role: RoleConfig, models: &[&str], paths: &[&str]) -> RoleConfig {
    let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    role.deny.models = own(models);
    role.deny.paths = own(paths);
    role
}

fn tenant(may: RoleConfig) -> TenantConfig {
    TenantConfig { may, ..TenantConfig::default() }
}

const CHAT: &str = "/v1/chat/completions";
const EMBEDDINGS: &str = "/v1/embeddings";
const MODELS: &str = "/v1/models";

fn access() -> Access {
    let mut bounded = tenant(role(&["*"], &["*"]));
    bounded.user_roles = [
        ("ann".to_owned(), vec!["batch".to_owned(), "gone".to_owned()]),
        ("bob".to_owned(), vec![]),
        ("eve".to_owned(), vec!["safe".to_owned()]),
    ]
    .into();
    let all = || role(&["*"], &["*"]);
    Access::compile(
        &[
            ("all".to_owned(), tenant(all())),
            ("some".to_owned(), tenant(role(&["qwen-*", "llama"], &["*"]))),
            ("chats".to_owned(), tenant(role(&["*"], &["/v1/chat/*"]))),
            ("denies".to_owned(), tenant(denying(all(), &["*-secret"], &[EMBEDDINGS]))),
            ("unlisted".to_owned(), tenant(denying(all(), &[], &[MODELS]))),
            ("bounded".to_owned(), bounded),
        ]
        .into(),
        &[
            ("batch".to_owned(), role(&["qwen-*"], &["*"])),
            ("none".to_owned(), role(&[], &["*"])),
            ("embed".to_owned(), role(&["bge"], &[EMBEDDINGS])),
            ("chat".to_owned(), role(&["llama"], &[CHAT])),
            ("safe".to_owned(), denying(all(), &["llama"], &["/v1/audio/*"])),
        ]
        .into(),
    )
}

fn caller(tenant: &str, roles: &[&str]) -> Caller {
    Caller {
        tenant: tenant.into(),
        key: "k".into(),
        user: None,
        roles: if roles == ["*"] {
            Roles::All
        } else {
            Roles::Of(roles.iter().map(|role| (*role).to_owned()).collect())
        },
        models: vec![],
        masking: None,
        limits: None,
        budget: false,
        means: Means::Key,
    }
}

#[test]
fn tenant_and_role_must_both_allow() {
    let table: &[(&str, &[&str], &str, bool)] = &[
        ("all", &["*"], "anything", true),
        ("all", &[], "anything", false),
        ("all", &["batch"], "qwen-7b", true),
        ("all", &["batch"], "llama", false),
        ("all", &["none"], "llama", false),
        ("all", &["none", "batch"], "qwen-7b", true),
        ("all", &["gone"], "llama", false),
        ("some", &["*"], "llama", true),
        ("some", &["*"], "gpt", false),
        ("some", &["batch"], "llama", false),
    ];
    let access = access();
    for (tenant, roles, model, expected) in table {
        let caller = caller(tenant, roles);
        let permissions = access.of(&caller).unwrap();
        assert_eq!(permissions.allows(*model, CHAT), *expected, "{tenant} {roles:?} {model}");
        assert_eq!(permissions.model(*model), *expected, "{tenant} {roles:?} {model}");
    }
}

#[test]
fn one_role_has_to_allow_model_and_path() {
    let access = access();
    let caller = caller("all", &["embed", "chat"]);
    let permissions = access.of(&caller).unwrap();
    let table = [
        ("bge", EMBEDDINGS, true),
        ("llama", CHAT, true),
        ("bge", CHAT, false),
        ("x", CHAT, false),
    ];
    for (model, path, expected) in table {
        assert_eq!(permissions.allows(model, path), expected, "{model} {path}");
    }
    assert!(permissions.model("bge") && permissions.model("llama") && !permissions.model("x"));
    assert!(permissions.path(CHAT) && permissions.path(EMBEDDINGS));
    assert!(!permissions.path("/v1/rerank"));
}

#[test]
fn a_deny_wins_at_every_level() {
    let user = |name: &str| Caller { user: Some(name.into()), ..caller("bounded", &["*"]) };
    let table = [
        (caller("denies", &["*"]), "llama", CHAT, true),
        (caller("denies", &["*"]), "my-secret", CHAT, false),
        (caller("denies", &["*"]), "llama", EMBEDDINGS, false),
        (caller("all", &["safe"]), "bge", CHAT, true),
        (caller("all", &["safe"]), "llama", CHAT, false),
        (caller("all", &["chat", "safe"]), "llama", CHAT, false),
        (caller("all", &["safe"]), "bge", "/v1/audio/transcriptions", false),
        (user("eve"), "bge", CHAT, true),
        (user("eve"), "llama", CHAT, false),
    ];
    let access = access();
    for (caller, model, path, expected) in table {
        let allowed = access.of(&caller).unwrap().allows(model, path);
        assert_eq!(allowed, expected, "{caller:?} {model} {path}");
    }
}

#[test]
fn users_and_keys_are_bounded_further() {
    let user = |name: &str, roles| Caller { user: Some(name.into()), ..caller("bounded", roles) };
    let key = |models: &[&str]| Caller {
        models: models.iter().map(|model| (*model).to_owned()).collect(),
        ..caller("all", &["*"])
    };
    let table = [
        (caller("bounded", &["*"]), "llama", true),
        (user("zoe", &["*"]), "llama", true),
        (user("ann", &["*"]), "llama", false),
        (user("ann", &["*"]), "qwen-7b", true),
        (user("ann", &["chat"]), "qwen-7b", false),
        (user("bob", &["*"]), "qwen-7b", false),
        (key(&["llama-*", "bge"]), "llama-3", true),
        (key(&["llama-*", "bge"]), "bge", true),
        (key(&["llama-*", "bge"]), "qwen-7b", false),
    ];
    let access = access();
    for (caller, model, expected) in table {
        let allowed = access.of(&caller).unwrap().allows(model, CHAT);
        assert_eq!(allowed, expected, "{caller:?} {model}");
    }
}

#[test]
fn lists_are_open_to_whoever_may_use_a_path() {
    let table: &[(&str, &[&str], &str, bool)] = &[
        ("all", &["*"], MODELS, true),
        ("chats", &["*"], MODELS, true),
        ("chats", &["*"], "/v1/models/{id}", true),
        ("chats", &["embed"], MODELS, false),
        ("all", &[], MODELS, false),
        ("all", &["none"], CHAT, true),
        ("unlisted", &["*"], MODELS, false),
        ("unlisted", &["*"], "/v1/models/{id}", true),
        ("unlisted", &["*"], CHAT, true),
    ];
    let access = access();
    for (tenant, roles, path, expected) in table {
        let caller = caller(tenant, roles);
        assert_eq!(access.of(&caller).unwrap().path(path), *expected, "{tenant} {roles:?} {path}");
    }
}

#[test]
fn a_tenant_that_is_gone_has_no_callers() {
    for (means, code) in [
        (Means::Key, "invalid_api_key"),
        (Means::Hmac, "invalid_signature"),
        (Means::Jwt, "invalid_token"),
        (Means::Certificate, "missing_credentials"),
    ] {
        let caller = Caller { means, ..caller("gone", &["*"]) };
        assert_eq!(access().of(&caller).map(|_| ()).unwrap_err().code.as_str(), code);
    }
}

#[test]
fn roles_are_the_credentials_and_the_users() {
    let access = access();
    let has = |tenant: &str, roles: &[&str], user: Option<&str>, role: &str| {
        let caller = Caller { user: user.map(str::to_owned), ..caller(tenant, roles) };
        access.of(&caller).unwrap().has_role(role)
    };
    assert!(has("all", &["chat", "embed"], None, "embed"));
    assert!(!has("all", &["chat"], None, "embed"));
    assert!(!has("all", &["*"], None, "chat"), "no bound is no role");
    assert!(has("bounded", &["*"], Some("ann"), "batch"));
    assert!(has("bounded", &["chat"], Some("ann"), "chat"));
    assert!(!has("bounded", &["*"], Some("bob"), "batch"));
}

#[test]
fn a_model_is_meant_by_its_own_name_and_by_the_one_that_was_asked_for() {
    let access = access();
    let may = |tenant: &str, asked: &str, own: &str| {
        let caller = caller(tenant, &["*"]);
        access.of(&caller).unwrap().model(ModelNames { asked, own })
    };
    assert!(may("some", "gpt-4", "llama"), "what opens the model opens its other names");
    assert!(!may("some", "gpt-4", "mistral"));
    assert!(!may("denies", "plain", "top-secret"), "no other name goes round what is denied");
    assert!(!may("denies", "top-secret", "plain"));
}
