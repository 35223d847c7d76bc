//! The parameters of one request: those of the address, then those of a form body.

use std::str::FromStr;

use super::answer::Refusal;
use crate::subsonic::ErrorCode;

/// Names and values in the order of the request. Never printed: secrets are among them.
#[derive(Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `application/x-www-form-urlencoded` text and adds what it holds.
    pub(crate) fn add(&mut self, encoded: &[u8]) {
        self.0.extend(form_urlencoded::parse(encoded).into_owned());
    }

    /// All names and values.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The first value of a name, where there is one.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A value that must be there and not be empty: error 10 otherwise.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            Refusal::new(ErrorCode::MissingParameter, format!("the parameter “{name}” is missing"))
        })
    }

    /// A value of some type, where there is one; an empty one counts as absent, a wrong one is error 0.
    pub(crate) fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        self.get(name)
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .map(|value| parse(name, value))
            .transpose()
    }

    /// Every value of a name, each of some type.
    pub(crate) fn all_parsed<T: FromStr>(&self, name: &str) -> Result<Vec<T>, Refusal> {
        self.all(name).map(|value| parse(name, value.trim())).collect()
    }

    /// A number between two others, or `default`.
    pub(crate) fn count(&self, name: &str, default: u64, most: u64) -> Result<u64, Refusal> {
        // Clients send -1 for "none".
        let value: Option<i64> = self.parsed(name)?;
        Ok(value.map_or(default, |value| u64::try_from(value).unwrap_or(0)).min(most))
    }

    /// A bool, where there is one.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.get(name).map(|value| value.trim().to_ascii_lowercase()).as_deref() {
            None | Some("") => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(wrong(name)),
        }
    }
}

fn parse<T: FromStr>(name: &str, value: &str) -> Result<T, Refusal> {
    value.parse().map_err(|_| wrong(name))
}

fn wrong(name: &str) -> Refusal {
    Refusal::new(ErrorCode::Generic, format!("the parameter “{name}” has a value that makes no sense"))
}
