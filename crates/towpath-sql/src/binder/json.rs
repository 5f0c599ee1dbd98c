//! The SQL/JSON functions with clauses, as calls of internal functions.
//!
//! <https://trino.io/docs/current/functions/json.html#json-value>

use datafusion::logical_expr::Expr as DfExpr;

use super::expression::ExprBinder;
use super::{Bound, mismatch};
use crate::ast::{Expr, ExprKind, JsonCall, JsonDefault, JsonFunction, JsonItem, JsonPath};
use crate::data_type::Type;
use crate::error::Result;
use crate::operators::cast;

impl ExprBinder<'_> {
    pub(super) fn json(&mut self, call: &JsonCall, at: usize) -> Result<Bound> {
        let made = match &call.function {
            JsonFunction::Exists { target, on_error } => {
                let (mut args, passed) = self.json_target(target)?;
                args.push(Bound::text(*on_error));
                args.extend(passed);
                return self.function("$json_exists", args, at);
            }
            JsonFunction::Value { target, on_empty, on_error } => {
                return self.json_value(target, (on_empty, on_error), call.returning.as_ref(), at);
            }
            JsonFunction::Query { target, wrapper, quotes, on_empty, on_error } => {
                let (mut args, passed) = self.json_target(target)?;
                args.extend(
                    [wrapper, quotes, on_empty, on_error].map(|clause| Bound::text(*clause)),
                );
                args.extend(passed);
                self.function("$json_query", args, at)?
            }
            JsonFunction::Object { members, null_on_null, unique_keys } => {
                let mut args = vec![Bound::boolean(*null_on_null), Bound::boolean(*unique_keys)];
                for (key, value) in members {
                    let bound = self.bind(key)?;
                    if !bound.data_type.is_text() {
                        let message = format!(
                            "JSON_OBJECT key must be a character string: {}",
                            bound.data_type
                        );
                        return Err(mismatch(key.at, message));
                    }
                    args.push(bound);
                    args.push(self.json_item(value)?);
                }
                self.function("$json_object", args, at)?
            }
            JsonFunction::Array { elements, null_on_null } => {
                let mut args = vec![Bound::boolean(*null_on_null)];
                for element in elements {
                    args.push(self.json_item(element)?);
                }
                self.function("$json_array", args, at)?
            }
        };
        self.returned(made, call.returning.as_ref(), at)
    }

    /// Input and path, and the values passed to the path by name.
    fn json_target(&mut self, target: &JsonPath) -> Result<(Vec<Bound>, Vec<Bound>)> {
        let input = self.bind(&target.input)?;
        if !input.data_type.is_text()
            && !matches!(input.data_type, Type::Json | Type::Unknown | Type::Varbinary)
        {
            let message =
                format!("JSON input must be a character string: actual type {}", input.data_type);
            return Err(mismatch(target.input.at, message));
        }
        if target.encoded && !matches!(input.data_type, Type::Varbinary) {
            let message = format!(
                "Cannot read input of type {} as JSON using formatting JSON ENCODING UTF8",
                input.data_type
            );
            return Err(mismatch(target.input.at, message));
        }
        let args = vec![input, self.bind(&target.path)?];
        let mut passed = Vec::new();
        for (name, value) in &target.passing {
            passed.push(Bound::text(&name.text));
            let bound = self.bind(&value.value)?;
            // What is no JSON is an error of the call, with its ON ERROR clause.
            passed.push(match value.format_json {
                true => self.planner.internal("$as_json", vec![bound.expr], Type::Json),
                false => bound,
            });
        }
        Ok((args, passed))
    }

    fn json_value(
        &mut self,
        target: &JsonPath,
        (on_empty, on_error): (&JsonDefault, &JsonDefault),
        returning: Option<&Type>,
        at: usize,
    ) -> Result<Bound> {
        let (mut args, passed) = self.json_target(target)?;
        let mut defaults = Vec::new();
        for behaviour in [on_empty, on_error] {
            args.push(Bound::text(match behaviour {
                JsonDefault::Null => "NULL",
                JsonDefault::Error => "ERROR",
                JsonDefault::Default(_) => "DEFAULT",
            }));
            defaults.push(self.json_default(behaviour)?);
        }
        let default_on_error = defaults.last().cloned();
        args.extend(defaults);
        args.extend(passed);
        let made = self.function("$json_value", args, at)?;
        let Some(target) = returning.filter(|target| !matches!(target, Type::Varchar(None))) else {
            return Ok(made);
        };
        // A value that is not of the type asked for is an error like any other.
        match (on_error, default_on_error) {
            (JsonDefault::Error, _) => self.returned(made, returning, at),
            (JsonDefault::Null, _) => {
                self.returned(made.clone(), returning, at)?;
                Ok(self.planner.cast_call(made, target, true))
            }
            (JsonDefault::Default(_), default) => {
                self.returned(made.clone(), returning, at)?;
                let absent = Bound::new(DfExpr::IsNull(Box::new(made.expr.clone())), Type::Boolean);
                let converted = self.planner.cast_call(made, target, true);
                let failed =
                    Bound::new(DfExpr::IsNull(Box::new(converted.expr.clone())), Type::Boolean);
                let null = self.planner.coerce(super::literal::null(), target);
                let default = match default {
                    Some(default) => self.planner.cast_call(default, target, false),
                    None => null.clone(),
                };
                self.case_of(vec![absent, failed], vec![null, default, converted], true, at)
            }
        }
    }

    fn json_default(&mut self, behaviour: &JsonDefault) -> Result<Bound> {
        let JsonDefault::Default(value) = behaviour else {
            return Ok(self.planner.coerce(super::literal::null(), &Type::VARCHAR));
        };
        if matches!(value.kind, ExprKind::Subquery(_)) {
            return Err(mismatch(
                value.at,
                "Default expression of JSON_VALUE cannot contain a subquery",
            ));
        }
        let bound = self.bind(value)?;
        if bound.data_type.is_text() {
            return Ok(bound);
        }
        Ok(self.planner.cast_call(bound, &Type::VARCHAR, false))
    }

    fn json_item(&mut self, item: &JsonItem) -> Result<Bound> {
        let bound = self.bind(&item.value)?;
        if !item.format_json {
            return Ok(bound);
        }
        let Expr { at, .. } = item.value;
        self.function("json_parse", vec![bound], at)
    }

    fn returned(&self, made: Bound, returning: Option<&Type>, at: usize) -> Result<Bound> {
        match returning {
            None | Some(Type::Varchar(None)) => Ok(made),
            Some(target) if cast::is_castable(&made.data_type, target) => {
                Ok(self.planner.cast_call(made, target, false))
            }
            Some(target) => Err(mismatch(at, format!("Cannot return type {target} from JSON"))),
        }
    }
}
