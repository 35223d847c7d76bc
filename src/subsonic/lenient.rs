//! Reading what servers really send.
//!
//! Every scalar of the wire passes through [`Scalar`], which takes a string, a number, a bool or nothing and
//! gives the field's type what it can use; what makes no sense counts as absent. Lists take an array, one
//! bare element or nothing. So one odd field never costs a listener the whole answer.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor};

/// One value as it stood on the wire.
pub(crate) enum Scalar {
    Nothing,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
}

/// A field's type that can be made from any scalar; `None` when the value makes no sense for it.
pub(crate) trait FromScalar: Sized {
    fn from_scalar(scalar: Scalar) -> Option<Self>;
}

impl FromScalar for String {
    fn from_scalar(scalar: Scalar) -> Option<Self> {
        match scalar {
            Scalar::Nothing => None,
            Scalar::Bool(value) => Some(value.to_string()),
            Scalar::Integer(value) => Some(value.to_string()),
            Scalar::Float(value) => Some(value.to_string()),
            Scalar::Text(value) => Some(value),
        }
    }
}

impl FromScalar for bool {
    fn from_scalar(scalar: Scalar) -> Option<Self> {
        match scalar {
            Scalar::Bool(value) => Some(value),
            Scalar::Integer(value) => Some(value != 0),
            Scalar::Text(value) => match value.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" => Some(true),
                "false" | "0" | "no" => Some(false),
                _ => None,
            },
            Scalar::Nothing | Scalar::Float(_) => None,
        }
    }
}

impl FromScalar for f64 {
    fn from_scalar(scalar: Scalar) -> Option<Self> {
        match scalar {
            Scalar::Float(value) => Some(value),
            Scalar::Integer(value) => Some(value as f64),
            Scalar::Text(value) => value.trim().parse().ok().filter(|v: &f64| v.is_finite()),
            Scalar::Nothing | Scalar::Bool(_) => None,
        }
    }
}

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl FromScalar for $type {
            fn from_scalar(scalar: Scalar) -> Option<Self> {
                match scalar {
                    Scalar::Integer(value) => value.try_into().ok(),
                    Scalar::Float(value) if value.is_finite() => (value.round() as i128).try_into().ok(),
                    Scalar::Text(value) => {
                        let value = value.trim();
                        match value.parse() {
                            Ok(number) => Some(number),
                            Err(_) => Self::from_scalar(Scalar::Float(value.parse().ok()?)),
                        }
                    }
                    _ => None,
                }
            }
        }
    )*};
}
integers!(u8 u32 u64 i32 i64);

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a number, a bool or nothing")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Scalar, E> {
        Ok(Scalar::Bool(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Scalar, E> {
        Ok(Scalar::Integer(v.into()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Scalar, E> {
        Ok(Scalar::Integer(v.into()))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Scalar, E> {
        Ok(Scalar::Float(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(v.to_owned()))
    }

    fn visit_string<E>(self, v: String) -> Result<Scalar, E> {
        Ok(Scalar::Text(v))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_none<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Scalar, D::Error> {
        d.deserialize_any(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Nothing)
    }
}

/// A field that is always there when we write; its default when a server leaves it out.
pub(crate) fn required<'de, D: Deserializer<'de>, T: FromScalar + Default>(d: D) -> Result<T, D::Error> {
    Ok(T::from_scalar(d.deserialize_any(ScalarVisitor)?).unwrap_or_default())
}

/// A field that may be absent.
pub(crate) fn optional<'de, D: Deserializer<'de>, T: FromScalar>(d: D) -> Result<Option<T>, D::Error> {
    Ok(T::from_scalar(d.deserialize_any(ScalarVisitor)?))
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list, one element or nothing")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(1024));
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
        Ok(vec![T::deserialize(MapAccessDeserializer::new(map))?])
    }

    fn visit_str<E: serde::de::Error>(self, v: &str) -> Result<Vec<T>, E> {
        Ok(T::deserialize(v.into_deserializer()).map_or_else(|_: E| Vec::new(), |item: T| vec![item]))
    }

    fn visit_i64<E: serde::de::Error>(self, v: i64) -> Result<Vec<T>, E> {
        Ok(T::deserialize(v.into_deserializer()).map_or_else(|_: E| Vec::new(), |item: T| vec![item]))
    }

    fn visit_u64<E: serde::de::Error>(self, v: u64) -> Result<Vec<T>, E> {
        Ok(T::deserialize(v.into_deserializer()).map_or_else(|_: E| Vec::new(), |item: T| vec![item]))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_unit<E>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_none<E>(self) -> Result<Vec<T>, E> {
        Ok(Vec::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Vec<T>, D::Error> {
        d.deserialize_any(self)
    }
}

/// A list that is written even when it is empty.
pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Vec<T>, D::Error> {
    d.deserialize_any(ListVisitor(PhantomData))
}

/// A list that some answers carry and others leave out.
pub(crate) fn maybe_list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    d: D,
) -> Result<Option<Vec<T>>, D::Error> {
    d.deserialize_any(ListVisitor(PhantomData)).map(Some)
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or nothing")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Option<T>, A::Error> {
        let first = seq.next_element()?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first)
    }

    fn visit_str<E>(self, _: &str) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_none<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Option<T>, D::Error> {
        d.deserialize_any(self)
    }
}

/// A nested object that may be absent; anything but an object counts as absent.
pub(crate) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Option<T>, D::Error> {
    d.deserialize_any(ObjectVisitor(PhantomData))
}

/// Declares wire types. Each field has a kind: `req` is always written, `opt` when there is a value, `list`
/// always as an array, `maybe` an array where the answer has it, `object` a nested object where there is one.
macro_rules! wire {
    ($( $(#[$meta:meta])* pub struct $name:ident { $($body:tt)* } )*) => {
        $( $crate::subsonic::lenient::wire!(@ [$(#[$meta])* $name] [] $($body)*); )*
    };
    (@ $head:tt [$($done:tt)*] $(#[$meta:meta])* req $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::subsonic::lenient::wire!(@ $head [$($done)* $(#[$meta])*
            #[serde(deserialize_with = "crate::subsonic::lenient::required")] pub $field: $type,] $($rest)*);
    };
    (@ $head:tt [$($done:tt)*] $(#[$meta:meta])* opt $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::subsonic::lenient::wire!(@ $head [$($done)* $(#[$meta])*
            #[serde(deserialize_with = "crate::subsonic::lenient::optional", skip_serializing_if = "Option::is_none")]
            pub $field: Option<$type>,] $($rest)*);
    };
    (@ $head:tt [$($done:tt)*] $(#[$meta:meta])* list $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::subsonic::lenient::wire!(@ $head [$($done)* $(#[$meta])*
            #[serde(deserialize_with = "crate::subsonic::lenient::list")] pub $field: Vec<$type>,] $($rest)*);
    };
    (@ $head:tt [$($done:tt)*] $(#[$meta:meta])* maybe $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::subsonic::lenient::wire!(@ $head [$($done)* $(#[$meta])*
            #[serde(deserialize_with = "crate::subsonic::lenient::maybe_list", skip_serializing_if = "Option::is_none")]
            pub $field: Option<Vec<$type>>,] $($rest)*);
    };
    (@ $head:tt [$($done:tt)*] $(#[$meta:meta])* object $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::subsonic::lenient::wire!(@ $head [$($done)* $(#[$meta])*
            #[serde(deserialize_with = "crate::subsonic::lenient::object", skip_serializing_if = "Option::is_none")]
            pub $field: Option<$type>,] $($rest)*);
    };
    (@ [$(#[$meta:meta])* $name:ident] [$($done:tt)*]) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct $name { $($done)* }
    };
}
pub(crate) use wire;
