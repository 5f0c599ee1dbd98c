//! Events' exact texts, put together from stored columns.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, DictionaryArray, ListArray, MapArray, StringArray,
    StringViewArray, StringViewBuilder, StructArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Int32Type, TimestampMicrosecondType};
use hashbrown::HashMap;

use crate::batch::{EVENT_JSON, EVENT_JSON_REST};
use crate::error::EventTextError;
use crate::event_time;
use crate::json::{Nesting, Scanner};
use crate::schema::{LEAF_COUNT, Leaf, RESOURCE_FIELDS, Shape, leaves};
use crate::template::{Form, Part, Source, escape, parts};

/// The exact texts of events, one for each row of `columns`, which are the physical columns of
/// events in the order of [`leaves`].
///
/// Strings may be stored as Arrow's `Utf8`, as views, or in a dictionary with `Int32` keys. A row
/// that has neither template nor rest has no text: null.
///
/// # Errors
///
/// [`EventTextError::Column`] if `columns` are not those of events, and
/// [`EventTextError::Template`] if they do not fit together, which those that were decoded and
/// stored always do.
pub fn event_texts(columns: &[ArrayRef]) -> Result<StringViewArray, EventTextError> {
    if columns.len() != LEAF_COUNT {
        return Err(EventTextError::Column { column: "eventJson" });
    }
    let values: Vec<Values<'_>> = leaves()
        .zip(columns)
        .map(|(leaf, column)| Values::of(leaf, column))
        .collect::<Result<_, _>>()?;
    let (Values::Text(templates), Values::Text(rests)) =
        (&values[EVENT_JSON], &values[EVENT_JSON_REST])
    else {
        return Err(EventTextError::Column { column: "eventJson" });
    };
    let rows = columns.first().map_or(0, Array::len);
    let mut known: HashMap<&str, Arc<[Part]>> = HashMap::new();
    let mut texts = StringViewBuilder::with_capacity(rows);
    let mut text = Vec::new();
    for row in 0..rows {
        let rest = rests.get(row);
        let Some(template) = templates.get(row) else {
            texts.append_option(rest);
            continue;
        };
        let damaged = || EventTextError::Template { row };
        let parts = match known.get(template) {
            Some(parts) => Arc::clone(parts),
            None => {
                let parts: Arc<[Part]> = parts(template.as_bytes()).map_err(|_| damaged())?.into();
                known.insert(template, Arc::clone(&parts));
                parts
            }
        };
        text.clear();
        let event = Event { values: &values, row, rest: rest.unwrap_or_default() };
        event.write(template.as_bytes(), &parts, &mut text).ok_or_else(damaged)?;
        texts.append_value(str::from_utf8(&text).map_err(|_| damaged())?);
    }
    Ok(texts.finish())
}

/// A physical column, to be read by row.
enum Values<'a> {
    Text(Texts<'a>),
    Boolean(&'a BooleanArray),
    Timestamp(&'a TimestampMicrosecondArray),
    Map { maps: &'a MapArray, keys: Texts<'a>, values: Texts<'a> },
    Resources { lists: &'a ListArray, fields: [Texts<'a>; RESOURCE_FIELDS.len()] },
}

impl<'a> Values<'a> {
    fn of(leaf: &'static Leaf, column: &'a ArrayRef) -> Result<Values<'a>, EventTextError> {
        let found = match leaf.shape {
            Shape::Boolean => column.as_boolean_opt().map(Values::Boolean),
            Shape::Timestamp => {
                column.as_primitive_opt::<TimestampMicrosecondType>().map(Values::Timestamp)
            }
            Shape::MapOfVarchar => column.as_map_opt().and_then(Values::of_map),
            Shape::Resources => column.as_list_opt().and_then(Values::of_resources),
            _ => Texts::of(column).map(Values::Text),
        };
        found.ok_or(EventTextError::Column { column: &leaf.column })
    }

    fn of_map(maps: &'a MapArray) -> Option<Values<'a>> {
        let (keys, values) = (Texts::of(maps.keys())?, Texts::of(maps.values())?);
        Some(Values::Map { maps, keys, values })
    }

    fn of_resources(lists: &'a ListArray) -> Option<Values<'a>> {
        let elements: &StructArray = lists.values().as_struct_opt()?;
        let [a, b, c, d] = elements.columns() else { return None };
        let fields = [Texts::of(a)?, Texts::of(b)?, Texts::of(c)?, Texts::of(d)?];
        Some(Values::Resources { lists, fields })
    }
}

/// A column of strings in any of the forms that readers give them.
enum Texts<'a> {
    Plain(&'a StringArray),
    View(&'a StringViewArray),
    Dictionary(&'a DictionaryArray<Int32Type>, &'a StringArray),
}

impl<'a> Texts<'a> {
    fn of(column: &'a ArrayRef) -> Option<Texts<'a>> {
        match column.data_type() {
            DataType::Utf8 => column.as_string_opt().map(Texts::Plain),
            DataType::Utf8View => column.as_string_view_opt().map(Texts::View),
            _ => {
                let dictionary = column.as_dictionary_opt::<Int32Type>()?;
                Some(Texts::Dictionary(dictionary, dictionary.values().as_string_opt()?))
            }
        }
    }

    #[inline]
    fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Texts::Plain(texts) => present(*texts, row).map(|texts| texts.value(row)),
            Texts::View(texts) => present(*texts, row).map(|texts| texts.value(row)),
            Texts::Dictionary(keys, values) => {
                let value = keys.key(row)?;
                present(*values, value).map(|values| values.value(value))
            }
        }
    }
}

/// `array`, if it has a value in `row`.
#[inline]
fn present<A: Array>(array: &A, row: usize) -> Option<&A> {
    (row < array.len() && array.is_valid(row)).then_some(array)
}

/// One event, whose text is to be written.
struct Event<'a> {
    values: &'a [Values<'a>],
    row: usize,
    rest: &'a str,
}

impl Event<'_> {
    /// Appends the text, or returns `None` if the columns do not have what the parts say.
    fn write(&self, template: &[u8], parts: &[Part], text: &mut Vec<u8>) -> Option<()> {
        let mut nesting = Nesting::default();
        let mut rest = Scanner::new(self.rest.as_bytes(), 0);
        for part in parts {
            match part {
                Part::Text(range) => text.extend_from_slice(template.get(range.clone())?),
                Part::Rest => {
                    if rest.at() > 0 && !rest.eat(b',') {
                        return None;
                    }
                    let start = rest.at();
                    rest.value(&mut nesting).ok()?;
                    text.extend_from_slice(rest.since(start));
                }
                Part::Value(source, form) => self.write_value(*source, *form, text)?,
            }
        }
        rest.peek().is_none().then_some(())
    }

    fn write_value(&self, source: Source, form: Form, text: &mut Vec<u8>) -> Option<()> {
        let value = match source {
            Source::Leaf(leaf) => match self.values.get(leaf)? {
                Values::Text(texts) => texts.get(self.row)?,
                Values::Boolean(truths) => {
                    let truth = present(*truths, self.row)?.value(self.row);
                    if truth { "true" } else { "false" }
                }
                Values::Timestamp(times) => {
                    let micros = present(*times, self.row)?.value(self.row);
                    text.push(b'"');
                    event_time::write_plain(micros, text)?;
                    text.push(b'"');
                    return Some(());
                }
                Values::Map { .. } | Values::Resources { .. } => return None,
            },
            Source::Key { leaf, entry } | Source::Entry { leaf, entry } => {
                let Values::Map { maps, keys, values } = self.values.get(leaf)? else {
                    return None;
                };
                let entry = position(present(*maps, self.row)?.value_offsets(), self.row, entry)?;
                let texts = if matches!(source, Source::Key { .. }) { keys } else { values };
                texts.get(entry)?
            }
            Source::Resource { leaf, element, field } => {
                let Values::Resources { lists, fields } = self.values.get(leaf)? else {
                    return None;
                };
                let lists = present(*lists, self.row)?;
                fields.get(field)?.get(position(lists.value_offsets(), self.row, element)?)?
            }
        };
        match form {
            Form::Exact => text.extend_from_slice(value.as_bytes()),
            Form::Quoted | Form::Escaped => {
                text.push(b'"');
                if form == Form::Escaped {
                    escape(value.as_bytes(), text);
                } else {
                    text.extend_from_slice(value.as_bytes());
                }
                text.push(b'"');
            }
        }
        Some(())
    }
}

/// The position of the element `number` of `row`, if it has as many.
fn position(offsets: &[i32], row: usize, number: usize) -> Option<usize> {
    let (start, end) = (*offsets.get(row)?, *offsets.get(row + 1)?);
    let position = usize::try_from(start).ok()?.checked_add(number)?;
    (position < usize::try_from(end).ok()?).then_some(position)
}
