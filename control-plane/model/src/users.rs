//! `tenants.NAME.users`: what holds for the users of a tenant.

use crate::budget::Budget;
use crate::document::Cursor;
use crate::ids::{LimitsName, RoleName, Subject};
use crate::schema::Section;
use crate::tenant::roles_of;
use crate::validate::Declared;
use std::collections::BTreeMap;

/// What holds for the users of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    /// Roles by user, at least one each: who is named here may do no more than one of
    /// them allows, whatever the credential.
    pub roles: BTreeMap<Subject, Vec<RoleName>>,
    /// The limits of each by himself; they exist.
    pub limits: Option<LimitsName>,
    /// What each may spend.
    pub budget: Option<Budget>,
    /// Who says who the user is.
    pub from: UserSource,
}

/// Who says who the user of a request is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UserSource {
    /// The credential alone: the key's user, or the subject of a token.
    #[default]
    Credential,
    /// The field `user` of the body as well, where the credential names none.
    Body,
}

pub(crate) const USER_SOURCES: &[(&str, UserSource)] =
    &[("credential", UserSource::Credential), ("body", UserSource::Body)];

/// What is said of a user with no role.
const NO_ROLES: &str = "is empty; name a role, or remove the user to allow all that the tenant has";

impl Users {
    pub(crate) fn read(cursor: &Cursor<'_>, declared: &Declared) -> Users {
        let fields = cursor.fields(Section::Users);
        let named = fields.get("roles").map(|roles| roles.named(Subject::parse));
        let (limits, budget) = (declared.limits(&fields), Budget::of(&fields));
        let from = fields.get("from").and_then(|field| field.choose(USER_SOURCES));
        fields.close();
        let roles_of = |(user, roles)| (user, roles_of(&roles, declared, NO_ROLES));
        let roles = named.unwrap_or_default().into_iter().map(roles_of).collect();
        Users { roles, limits, budget, from: from.unwrap_or_default() }
    }
}
