//! The headers of a request or answer, as the host hands them over: names in
//! lower case, values as bytes, several lines of one name one after another.

/// A list of headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, Vec<u8>)>);

impl Headers {
    /// Every header line.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// The first value of a header as text; `None` also for what is no UTF-8.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.lines().find(|(line, _)| *line == name)?;
        std::str::from_utf8(value).ok()
    }
}

#[cfg(test)]
impl Headers {
    /// A list for tests.
    pub fn of(lines: &[(&str, &str)]) -> Headers {
        Headers(
            lines
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect(),
        )
    }
}
