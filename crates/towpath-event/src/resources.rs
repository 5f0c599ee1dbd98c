//! The column `resources`: `array(row(accountId, type, arn, arnPrefix))`.

use std::mem;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, StructArray};

use crate::bitmap::Bitmap;
use crate::column::{Offsets, TextColumn};
use crate::json::{Fault, JsonString, Nesting, Scanner};
use crate::schema::{RESOURCE_FIELDS, resource_field, resource_fields};
use crate::template::{Draft, Kept};

/// Position of `type` in [`RESOURCE_FIELDS`].
const TYPE: usize = 1;

/// Resources by row.
#[derive(Debug, Default)]
pub(crate) struct ResourcesColumn {
    offsets: Offsets,
    valid: Bitmap,
    /// Which elements are objects; the others are null.
    elements_valid: Bitmap,
    /// As [`RESOURCE_FIELDS`], by element.
    fields: [TextColumn; RESOURCE_FIELDS.len()],
}

impl ResourcesColumn {
    /// Forgets `row` and all rows after it.
    pub(crate) fn truncate(&mut self, row: usize) {
        // Not only finished rows: a refused log file may have left elements of an unfinished one.
        self.truncate_elements(self.offsets.start(row));
        self.offsets.truncate(row);
        self.valid.truncate(row);
    }

    fn truncate_elements(&mut self, element: usize) {
        self.elements_valid.truncate(element);
        for field in &mut self.fields {
            field.truncate(element);
        }
    }

    /// Sets `row` to the array at whose opening bracket the scanner stands. An element that is not
    /// an object is null. The elements are noted in `draft`.
    pub(crate) fn read(
        &mut self,
        row: usize,
        scanner: &mut Scanner<'_>,
        nesting: &mut Nesting,
        draft: &mut Draft,
    ) -> Result<(), Fault> {
        self.truncate(row);
        self.offsets.pad(row);
        let mut element = self.offsets.start(row);
        let mut another = scanner.enter_array();
        while another {
            if scanner.peek_token() == Some(b'{') {
                self.read_element(element, scanner, nesting, draft)?;
            } else {
                let start = scanner.at();
                let value = scanner.value(nesting)?;
                draft.value(scanner, start, Kept::by_none(&value));
            }
            element += 1;
            another = scanner.another_element()?;
        }
        self.offsets.push(element);
        self.valid.set(row);
        Ok(())
    }

    fn read_element(
        &mut self,
        element: usize,
        scanner: &mut Scanner<'_>,
        nesting: &mut Nesting,
        draft: &mut Draft,
    ) -> Result<(), Fault> {
        self.elements_valid.set(element);
        let mut fields_seen = [false; RESOURCE_FIELDS.len()];
        let mut another = scanner.enter_object();
        while another {
            let field = field_of_key(scanner.key()?);
            let start = scanner.peek_token_at();
            let value = scanner.value(nesting)?;
            if let Some(field) = field {
                self.fields[field].set(element, &value);
                draft.value(scanner, start, Kept::by_varchar(&value));
                if mem::replace(&mut fields_seen[field], true) {
                    draft.see_repeated_key();
                }
            } else {
                draft.value(scanner, start, Kept::by_none(&value));
            }
            another = scanner.another_key()?;
        }
        Ok(())
    }

    /// The types of the resources of `row`.
    pub(crate) fn types(&self, row: usize) -> impl Iterator<Item = &[u8]> {
        let elements = self.offsets.start(row)..self.offsets.start(row + 1);
        elements.filter_map(|element| self.fields[TYPE].get(element))
    }

    /// The array of the first `rows` rows. The column is empty afterwards.
    pub(crate) fn take_array(&mut self, rows: usize) -> ListArray {
        let ResourcesColumn { offsets, valid, elements_valid, fields } = self;
        let (valid, elements_valid) = (mem::take(valid), mem::take(elements_valid));
        let offsets = offsets.take_buffer(rows);
        let elements = usize::try_from(offsets.last().copied().unwrap_or(0)).unwrap_or(0);
        let columns = fields
            .iter_mut()
            .map(|field| Arc::new(field.take_array(elements)) as ArrayRef)
            .collect();
        let rows_of_fields =
            StructArray::new(resource_fields(), columns, elements_valid.into_validity(elements));
        let nulls = valid.into_validity(rows);
        ListArray::new(resource_field(), offsets, Arc::new(rows_of_fields), nulls)
    }
}

/// Which of [`RESOURCE_FIELDS`] a key names. Events spell `ARN`, the table `arn`: both count.
pub(crate) fn field_of_key(key: JsonString<'_>) -> Option<usize> {
    match key.characters().as_ref() {
        b"accountId" => Some(0),
        b"type" => Some(TYPE),
        b"ARN" | b"arn" => Some(2),
        b"ARNPrefix" | b"arnPrefix" => Some(3),
        _ => None,
    }
}
