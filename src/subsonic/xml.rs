//! The same answers as XML.
//!
//! The JSON value of an answer is walked once: scalars become attributes, objects and arrays become child
//! elements, and a scalar named `value` becomes the element's text, as the specification has it for genres and
//! lyrics. Characters that XML 1.0 cannot hold are left out, so that no name of a song breaks a client.

use serde::Serialize;
use serde_json::{Map, Value};

/// Elements whose scalars are elements too, by the schema of 1.16.1.
const IN_ELEMENTS: [&str; 3] = ["albumInfo", "artistInfo", "artistInfo2"];

const NAMESPACE: &str = "http://subsonic.org/restapi";

/// A response as an XML document; fails only if `response` cannot be serialised at all.
pub fn document<T: Serialize>(response: &T) -> Result<String, serde_json::Error> {
    let mut out = String::with_capacity(1024);
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    if let Value::Object(mut root) = serde_json::to_value(response)? {
        root.shift_insert(0, "xmlns".to_owned(), Value::String(NAMESPACE.to_owned()));
        element(&mut out, "subsonic-response", &root);
    }
    Ok(out)
}

fn element(out: &mut String, name: &str, fields: &Map<String, Value>) {
    out.push('<');
    out.push_str(name);
    let mut text = None;
    let mut has_children = false;
    for (key, value) in fields {
        match value {
            Value::Object(_) => has_children = true,
            Value::Array(items) => has_children |= !items.is_empty(),
            Value::Null => {}
            scalar if key == "value" => text = Some(scalar),
            _ if IN_ELEMENTS.contains(&name) => has_children = true,
            scalar => {
                out.push(' ');
                out.push_str(key);
                out.push_str("=\"");
                write_scalar(out, scalar, true);
                out.push('"');
            }
        }
    }
    if text.is_none() && !has_children {
        out.push_str("/>");
        return;
    }
    out.push('>');
    if let Some(text) = text {
        write_scalar(out, text, false);
    }
    for (key, value) in fields {
        match value {
            Value::Object(object) => element(out, key, object),
            Value::Array(items) => items.iter().for_each(|item| child(out, key, item)),
            scalar if IN_ELEMENTS.contains(&name) => child(out, key, scalar),
            _ => {}
        }
    }
    close(out, name);
}

fn child(out: &mut String, name: &str, item: &Value) {
    match item {
        Value::Object(object) => element(out, name, object),
        Value::Array(items) => items.iter().for_each(|item| child(out, name, item)),
        Value::Null => {}
        scalar => {
            out.push('<');
            out.push_str(name);
            out.push('>');
            write_scalar(out, scalar, false);
            close(out, name);
        }
    }
}

fn close(out: &mut String, name: &str) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

fn write_scalar(out: &mut String, scalar: &Value, in_attribute: bool) {
    match scalar {
        Value::String(text) => escape(out, text, in_attribute),
        other => out.push_str(&other.to_string()),
    }
}

fn escape(out: &mut String, text: &str, in_attribute: bool) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if in_attribute => out.push_str("&quot;"),
            '\t' if in_attribute => out.push_str("&#9;"),
            '\n' if in_attribute => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            c if is_allowed(c) => out.push(c),
            _ => {}
        }
    }
}

/// Whether XML 1.0 can hold the character at all (<https://www.w3.org/TR/xml/#charsets>).
pub const fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
