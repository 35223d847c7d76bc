//! All items of one kind: the segment that was built from everything, and a small one of what has changed since, whose items
//! hide their older selves.

use std::collections::HashSet;
use std::sync::Arc;

use super::{
    Builder, Entry, Query, Segment,
    bits::Bits,
    find::{Found, LEVELS, Scope},
    own::{Mark, Own},
    segment::Doc,
};

/// Results that are enough; where there are fewer, words typed nearly so are looked for.
const FEW: usize = 10;

/// Segments that are searched together.
#[derive(Debug, Default, Clone)]
pub struct Shelf {
    base: Arc<Segment>,
    gone: Bits,
    recent: Arc<Segment>,
    /// Ids that are hidden in the base, those of `recent` among them.
    changed: HashSet<String>,
}

/// One listener's marks on a shelf.
#[derive(Debug, Default)]
pub(in crate::catalog) struct Owned {
    base: Arc<Own>,
    recent: Own,
}

/// A result with what it is ranked by, to compare with results of other shelves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The catalog's id.
    pub id: String,
    /// Errors, then how the title agrees with the query; less is better.
    pub class: u64,
    /// Own and common liking within the class; less is better.
    pub worth: u64,
}

impl Hit {
    /// Whether a word of the query stands nowhere as it was typed.
    pub fn has_errors(&self) -> bool {
        self.class >> 4 & 7 > 0
    }
}

impl Shelf {
    /// A shelf of one segment.
    pub fn new(base: Segment) -> Self {
        Self { gone: Bits::new(base.len()), base: Arc::new(base), ..Self::default() }
    }

    /// Items that can be found.
    pub fn len(&self) -> usize {
        self.base.len() - self.gone.count() + self.recent.len()
    }

    /// Whether nothing can be found.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The large segment.
    pub fn base(&self) -> &Arc<Segment> {
        &self.base
    }

    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.base.bytes() + self.recent.bytes()
    }

    /// Items that have changed since the base was built.
    pub(in crate::catalog) fn changed(&self) -> &HashSet<String> {
        &self.changed
    }

    /// The same shelf where these ids have changed since the base was built, and `recent` is what they are now.
    pub(in crate::catalog) fn with(&self, changed: HashSet<String>, recent: &[Entry]) -> Self {
        let mut gone = Bits::new(self.base.len());
        for doc in changed.iter().filter_map(|id| self.base.doc(id)) {
            gone.set(doc);
        }
        let mut builder = Builder::default();
        for entry in recent {
            builder.add(entry);
        }
        Self { base: self.base.clone(), gone, recent: Arc::new(builder.finish()), changed }
    }

    /// A listener's marks, by id. `known` are marks on the same base that have not changed.
    pub(in crate::catalog) fn own<'m>(
        &self,
        marks: impl Iterator<Item = (&'m str, Mark)>,
        known: Option<&Owned>,
    ) -> Owned {
        let of = |segment: &Segment, marks: &mut dyn Iterator<Item = (&'m str, Mark)>| {
            Own::of(marks.filter_map(|(id, mark)| Some((segment.doc(id)?, mark))).collect())
        };
        let mut marks = marks;
        if let Some(known) = known {
            return Owned { base: known.base.clone(), recent: of(&self.recent, &mut marks) };
        }
        let marks: Vec<(&str, Mark)> = marks.collect();
        let base = of(&self.base, &mut marks.iter().copied());
        Owned { base: Arc::new(base), recent: of(&self.recent, &mut marks.into_iter()) }
    }

    /// The results from `offset` on, best first. The order does not depend on the window.
    pub fn find(&self, query: &Query, offset: usize, limit: usize) -> Vec<Hit> {
        self.find_for(query, offset, limit, &Owned::default())
    }

    /// The same for a listener.
    pub(in crate::catalog) fn find_for(
        &self,
        query: &Query,
        offset: usize,
        limit: usize,
        owned: &Owned,
    ) -> Vec<Hit> {
        let none = Bits::default();
        let scopes = self.scopes(&none, owned);
        let upto = offset.saturating_add(limit);
        let mut found: Vec<(Found, usize)> = Vec::new();
        let add = |level: usize, likeness: &[super::find::Likeness], found: &mut Vec<(Found, usize)>| {
            let mut new: Vec<(Found, usize)> = Vec::new();
            for (at, scope) in scopes.iter().enumerate() {
                let more = scope.find(query, upto.max(FEW), level, likeness.get(at));
                new.extend(more.into_iter().map(|found| (found, at)));
            }
            if level > 0 {
                let known: HashSet<(Doc, usize)> = found.iter().map(|(f, at)| (f.doc, *at)).collect();
                new.retain(|(f, at)| !known.contains(&(f.doc, *at)));
            }
            new.sort_unstable();
            found.extend(new);
        };
        add(0, &[], &mut found);
        if found.len() < FEW && !query.as_typed && Scope::level_is_worth_it(query, 1) {
            let likeness: Vec<_> = scopes.iter().map(|scope| scope.likeness(query)).collect();
            for level in 1..LEVELS {
                if found.len() >= FEW || !Scope::level_is_worth_it(query, level) {
                    break;
                }
                add(level, &likeness, &mut found);
            }
        }
        let window = found.into_iter().skip(offset).take(limit);
        window
            .map(|(f, at)| Hit { id: scopes[at].segment.id(f.doc), class: f.class(), worth: f.worth() })
            .collect()
    }

    fn scopes<'a>(&'a self, none: &'a Bits, owned: &'a Owned) -> [Scope<'a>; 2] {
        [
            Scope { segment: &self.base, gone: &self.gone, own: &owned.base },
            Scope { segment: &self.recent, gone: none, own: &owned.recent },
        ]
    }
}
