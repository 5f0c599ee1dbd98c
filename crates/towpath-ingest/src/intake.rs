//! What a store takes: a kind of events, and of those what its selectors choose.
//!
//! Both stand in the attributes of the store, so that they change in one commit with its other
//! settings and every writer sees the same.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use towpath_event::{EventKind, EventSelectors};
use towpath_store::StoreSettings;

use crate::error::{Error, Result};

/// The attribute that holds the name of the kind. A store without it keeps CloudTrail's own events.
const EVENT_CATEGORY: &str = "eventCategory";
/// The attribute that holds the selectors, as JSON. A store without it takes all of its kind.
const SELECTORS: &str = "selectors";

/// What a store takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intake {
    kind: EventKind,
    selectors: Option<EventSelectors>,
}

impl Intake {
    /// All events of `kind`.
    #[must_use]
    pub fn of_kind(kind: EventKind) -> Intake {
        Intake { kind, selectors: None }
    }

    /// The events that `selectors` choose.
    #[must_use]
    pub fn selected(selectors: EventSelectors) -> Intake {
        Intake { kind: selectors.kind(), selectors: Some(selectors) }
    }

    /// What the store with these settings takes.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownIntake`] if a newer version made the store, or another program changed it.
    pub fn of(settings: &StoreSettings) -> Result<Intake> {
        let attribute = |name: &str| settings.attributes.get(name).map(String::as_str);
        let unknown =
            |reason: String| Error::UnknownIntake { store: settings.name.clone(), reason };
        let kind = match attribute(EVENT_CATEGORY) {
            None => EventKind::CloudTrail,
            Some(category) => EventKind::of_category(category)
                .ok_or_else(|| unknown(format!("no category of events is called `{category}`")))?,
        };
        let selectors = attribute(SELECTORS).map(EventSelectors::parse).transpose();
        let selectors = selectors.map_err(|err| unknown(err.to_string()))?;
        match &selectors {
            Some(selectors) if selectors.kind() != kind => Err(unknown(format!(
                "its selectors are about `{}`, and its columns those of `{}`",
                selectors.kind().name(),
                kind.name()
            ))),
            _ => Ok(Intake { kind, selectors }),
        }
    }

    /// The attributes of a store that takes this; `None` for those that it must not have.
    #[must_use]
    pub fn attributes(&self) -> BTreeMap<String, Option<String>> {
        let selectors = self.selectors.as_ref().map(|selectors| selectors.to_json().to_owned());
        let kind = (self.kind != EventKind::CloudTrail).then(|| self.kind.name().to_owned());
        BTreeMap::from([(EVENT_CATEGORY.to_owned(), kind), (SELECTORS.to_owned(), selectors)])
    }

    /// The kind of events, which is also the schema of the store.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// The selectors, if the store does not take everything of its kind.
    #[must_use]
    pub fn selectors(&self) -> Option<&EventSelectors> {
        self.selectors.as_ref()
    }

    /// The same without regard to selectors, unless `apply`.
    pub(crate) fn with_selectors(self, apply: bool) -> Intake {
        Intake { selectors: self.selectors.filter(|_| apply), ..self }
    }

    /// For each row of `columns` whether it is taken; `None` if all are.
    pub(crate) fn takes(&self, columns: &RecordBatch) -> Option<Vec<bool>> {
        match (&self.selectors, self.kind) {
            (Some(selectors), _) => Some(selectors.matches(columns)),
            (None, EventKind::CloudTrail) => None,
            // Its files can hold events of CloudTrail's own, or of another kind.
            (None, kind) => Some(kind.has_rows(columns)),
        }
    }
}
