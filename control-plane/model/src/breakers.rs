//! `pools.NAME.breakers`: the most that one Envoy has under way to a pool.

use crate::document::Cursor;
use crate::schema::Section;
use crate::units;
use std::num::NonZeroU32;

/// Most that can be said: what Envoy is told where nothing is.
pub(crate) const BREAKER_MAX: u32 = 1_000_000;

/// What one Envoy has under way to a pool at most; `None`: as much as comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Breakers {
    /// Requests.
    pub requests: Option<NonZeroU32>,
    /// Requests that wait for a connection.
    pub waiting: Option<NonZeroU32>,
    /// Connections.
    pub connections: Option<NonZeroU32>,
}

impl Breakers {
    pub(crate) fn read(cursor: &Cursor<'_>) -> Breakers {
        let fields = cursor.fields(Section::Breakers);
        let most = |name| fields.get(name)?.parse(|text: &str| units::count_u32(text, BREAKER_MAX));
        let breakers = Breakers {
            requests: most("requests"),
            waiting: most("waiting"),
            connections: most("connections"),
        };
        fields.close();
        breakers
    }
}
