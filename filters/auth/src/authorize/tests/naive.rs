//! The rules once more, word by word over the configuration, and the compiled
//! ones held against them.

use super::*;
use contract::policy::DenyConfig;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

/// A configuration as it is written.
#[derive(Clone, Debug)]
struct Written {
    tenant: TenantConfig,
    roles: BTreeMap<String, RoleConfig>,
}

impl Written {
    /// The configured ones among the roles.
    fn known<'a>(&'a self, names: &'a [String]) -> Vec<&'a RoleConfig> {
        names.iter().filter_map(|name| self.roles.get(name)).collect()
    }

    fn user_roles<'a>(&'a self, caller: &Caller) -> Option<&'a [String]> {
        let roles = self.tenant.user_roles.get(caller.user.as_ref()?)?;
        Some(roles)
    }

    fn deny(&self, caller: &Caller) -> Vec<&DenyConfig> {
        let mut rules = vec![&self.tenant.may];
        if let Roles::Of(roles) = &caller.roles {
            for role in roles {
                rules.extend(self.roles.get(role));
            }
        }
        rules.extend(self.known(self.user_roles(caller).unwrap_or_default()));
        rules.into_iter().map(|role| &role.deny).collect()
    }

    fn allows(&self, caller: &Caller, model: &str, path: &str) -> bool {
        let both = |role: &RoleConfig| one(&role.models, model) && one(&role.paths, path);
        let some_role = |names: &[String]| self.known(names).into_iter().any(both);
        let by_tenant = both(&self.tenant.may);
        let by_roles = match &caller.roles {
            Roles::All => true,
            Roles::Of(roles) => some_role(roles),
        };
        let by_key = caller.models.is_empty() || one(&caller.models, model);
        let by_user = self.user_roles(caller).is_none_or(some_role);
        let mut denials = self.deny(caller).into_iter();
        let denied = denials.any(|deny| one(&deny.models, model) || one(&deny.paths, path));
        by_tenant && by_roles && by_key && by_user && !denied
    }
}

fn one(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| glob::matches(pattern, name))
}

fn model_globs(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<String>> {
    vec("[ab*]{1,3}", count)
}

fn path_globs(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<String>> {
    let path = prop_oneof![
        4 => Just("*".to_owned()),
        1 => Just("/v1/chat/*".to_owned()),
        1 => Just("/v1/*s".to_owned()),
        1 => Just("/v1/embeddings".to_owned()),
        1 => Just("/v1/models*".to_owned()),
        1 => Just("*completions".to_owned()),
    ];
    vec(path, count)
}

prop_compose! {
    fn roles_config()(
        models in model_globs(0..3),
        paths in path_globs(0..3),
        denied in option::weighted(0.3, (model_globs(0..2), path_globs(0..2))),
    ) -> RoleConfig {
        let (denied_models, denied_paths) = denied.unwrap_or_default();
        RoleConfig { models, paths, deny: DenyConfig { models: denied_models, paths: denied_paths } }
    }
}

/// Four names, of which three may be configured.
fn role_names() -> impl Strategy<Value = Vec<String>> {
    vec("r[0-3]", 0..3)
}

prop_compose! {
    fn written()(
        may in roles_config(),
        everything in proptest::bool::ANY,
        user_roles in btree_map("[uv]", role_names(), 0..2),
        roles in btree_map("r[0-2]", roles_config(), 0..4),
    ) -> Written {
        let may = if everything { role(&["*"], &["*"]) } else { may };
        Written { tenant: TenantConfig { may, user_roles, ..TenantConfig::default() }, roles }
    }
}

prop_compose! {
    fn some_caller()(
        roles in option::of(role_names()),
        user in option::of("[uv]"),
        models in model_globs(0..3),
    ) -> Caller {
        let roles = roles.map_or(Roles::All, Roles::Of);
        Caller { user, roles, models, ..caller("t", &[]) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn the_compiled_rules_say_what_is_written(
        written in written(),
        caller in some_caller(),
        models in vec("[ab]{1,3}", 1..5),
    ) {
        let tenants = [("t".to_owned(), written.tenant.clone())].into();
        let access = Access::compile(&tenants, &written.roles);
        let permissions = access.of(&caller).unwrap();
        for model in &models {
            let mut somewhere = false;
            for path in INFERENCE_PATHS {
                let expected = written.allows(&caller, model, path);
                prop_assert_eq!(permissions.allows(model.as_str(), path), expected, "{} {}", model, path);
                prop_assert!(!expected || permissions.path(path), "{} is open", path);
                somewhere |= expected;
            }
            prop_assert_eq!(permissions.model(model.as_str()), somewhere, "{}", model);
        }
        let open = INFERENCE_PATHS.iter().any(|path| permissions.path(path));
        let denied = written.deny(&caller).iter().any(|deny| one(&deny.paths, MODELS));
        prop_assert_eq!(permissions.path(MODELS), open && !denied);
    }
}
