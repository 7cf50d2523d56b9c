//! A till for tests that are about something else.

use super::{Admission, Course, Demand, Rules, Till, Whose, admit};
use crate::exchange::{Forwarded, Onward};
use crate::policy::tests::config;
use crate::request_path::Answers;
use auth::authenticate::{Caller, Means, Roles};
use billing::bound::Asked;
use billing::memory::Memory;
use contract::policy::GatewayConfig;
use contract::usage::Who;
use routing::Route;
use std::rc::Rc;
use std::sync::LazyLock;

/// When tests pay, Unix milliseconds.
pub const NOW_MS: u64 = 1_795_252_163_000;

/// A till at `table`.
pub fn till(table: &Memory) -> Till<'_, Memory> {
    Till {
        table,
        vm: 1,
        alive: Rc::new(billing::vms::alive(table, NOW_MS)),
        gateways: 1,
        salt: 7,
        spool_full: false,
        now_ms: NOW_MS,
    }
}

/// The VM of tests shows that it lives.
pub fn live(table: &Memory) {
    assert_eq!(billing::vms::new_vm(table, NOW_MS), 1);
}

/// A till where nobody has paid yet.
pub fn free() -> Till<'static, Memory> {
    static EMPTY: LazyLock<Memory> = LazyLock::new(Memory::default);
    till(&EMPTY)
}

/// Somebody of `tenant`.
pub fn caller(tenant: &str) -> Caller {
    Caller {
        tenant: tenant.to_owned(),
        key: "key_1".to_owned(),
        user: None,
        roles: Roles::All,
        models: vec![],
        masking: None,
        limits: None,
        budget: false,
        means: Means::Key,
    }
}

/// What a request that nothing bounds has taken.
pub fn course() -> Box<Course> {
    course_of(&config(), &Memory::default())
}

/// What a request of `acme` to the pool `big` has taken.
pub fn course_of(config: &GatewayConfig, table: &Memory) -> Box<Course> {
    let rules = Rules::compile(config).unwrap();
    let asked = Asked { body_bytes: 40, ..Asked::default() };
    let (till, caller) = (till(table), caller("acme"));
    let whose = Whose { caller: &caller, user: None, model: "llama", limits: None };
    let pool = ("big", &config.pools["big"]);
    let demand = Demand::of(&rules, &till, &whose, pool, asked, 40).unwrap();
    match admit(&demand, &till, false) {
        Ok(Admission::Admitted { course, .. }) => course,
        other => panic!("{:?}", other.err()),
    }
}

/// A request that has left for the pool `big`.
pub fn forwarded() -> Forwarded {
    let config = config().pools["big"].clone();
    Forwarded {
        who: Who { pool: Some("big".into()), ..Who::default() },
        request_id: "r-1".into(),
        asked: "llama".into(),
        expose_pool: false,
        masked: None,
        course: course(),
        answers: Answers::default(),
        pool: Rc::new(Route { pool: "big".into(), config }),
        onward: Onward::default(),
    }
}
