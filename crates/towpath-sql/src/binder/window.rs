//! Window functions: `f(…) OVER (PARTITION BY … ORDER BY … ROWS …)`.
//!
//! <https://trino.io/docs/current/functions/window.html>

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{NullTreatment, Sort, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::function::WindowUDFFieldArgs;
use datafusion::logical_expr::{
    Expr as DfExpr, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition,
};

use super::expression::ExprBinder;
use super::{Bound, mismatch, semantic};
use crate::ast::{Call, Expr, Frame, FrameBound, FrameUnits, Window, WindowSpec};
use crate::coercion;
use crate::data_type::Type;
use crate::error::{ErrorKind, Result, SqlError};

/// A window specification after its name is looked up.
struct ResolvedWindow {
    partition_by: Vec<Expr>,
    order_by: Vec<crate::ast::SortItem>,
    frame: Option<Frame>,
}

impl ExprBinder<'_> {
    pub(super) fn window_call(&mut self, name: &str, call: &Call, at: usize) -> Result<Bound> {
        let window = self.window(call, at)?;
        let args = self.aggregate_args(call, at)?;
        let (function, args, returned) = self.window_function(name, args, at)?;
        let partition_by =
            self.bind_all(&window.partition_by)?.into_iter().map(|bound| bound.expr).collect();
        let mut order_by = self.sort_items(&window.order_by)?;
        self.widen_key(&window, &mut order_by)?;
        let window_frame = match &window.frame {
            Some(frame) => self.frame(&window, frame)?,
            None => WindowFrame::new((!order_by.is_empty()).then_some(false)),
        };
        let window_frame = regular(window_frame, &order_by, at)?;
        let filter = match &call.filter {
            Some(filter) => {
                let bound = self.bind(filter)?;
                Some(Box::new(self.planner.condition(bound, filter.at, "FILTER clause")?.expr))
            }
            None => None,
        };
        let params = WindowFunctionParams {
            args: args.into_iter().map(|arg| arg.expr).collect(),
            partition_by,
            order_by,
            window_frame,
            filter,
            null_treatment: call.ignore_nulls.then_some(NullTreatment::IgnoreNulls),
            distinct: call.distinct,
        };
        let function = WindowFunction { fun: function, params };
        Ok(Bound::of_field(DfExpr::WindowFunction(Box::new(function)), returned))
    }

    fn window_function(
        &mut self,
        name: &str,
        args: Vec<Bound>,
        at: usize,
    ) -> Result<(WindowFunctionDefinition, Vec<Bound>, FieldRef)> {
        let fields = |args: &[Bound]| -> Vec<FieldRef> {
            args.iter().map(|arg| Arc::clone(&arg.field)).collect()
        };
        if let Some(function) = self.planner.functions.window(name) {
            let args = self.coerced(function.as_ref(), args, at)?;
            let returned = function
                .field(WindowUDFFieldArgs::new(&fields(&args), name))
                .map_err(|error| SqlError::engine(at, &error))?;
            return Ok((WindowFunctionDefinition::WindowUDF(function), args, returned));
        }
        if let Some(function) = self.planner.functions.aggregate(name) {
            let args = self.coerced(function.as_ref(), args, at)?;
            let returned = function
                .return_field(&fields(&args))
                .map_err(|error| SqlError::engine(at, &error))?;
            return Ok((WindowFunctionDefinition::AggregateUDF(function), args, returned));
        }
        let known = self.planner.functions.scalar(name).is_some();
        let message = if known {
            format!("'{name}' is not a window function")
        } else {
            format!("Function '{name}' not registered")
        };
        Err(SqlError::at(ErrorKind::FunctionNotFound, at, message))
    }

    fn window(&self, call: &Call, at: usize) -> Result<ResolvedWindow> {
        let spec = match &call.over {
            Some(Window::Spec(spec)) => spec.as_ref().clone(),
            Some(Window::Named(name)) => WindowSpec {
                base: Some(name.clone()),
                partition_by: Vec::new(),
                order_by: Vec::new(),
                frame: None,
            },
            None => return Err(semantic(at, "expected an OVER clause")),
        };
        self.resolved(spec)
    }

    /// Follows the names of named windows; each may build on one defined before it.
    fn resolved(&self, spec: WindowSpec) -> Result<ResolvedWindow> {
        let (mut partition_by, mut order_by, mut frame) =
            (spec.partition_by, spec.order_by, spec.frame);
        let mut base = spec.base;
        let mut available = self.windows.len();
        while let Some(name) = base.take() {
            let found = self
                .windows
                .iter()
                .take(available)
                .rposition(|(known, _)| known.key() == name.key());
            let Some((index, (_, named))) =
                found.and_then(|index| Some((index, self.windows.get(index)?)))
            else {
                let message = format!("Cannot resolve WINDOW name {}", name.text);
                return Err(semantic(name.at, message));
            };
            available = index;
            if !named.partition_by.is_empty() {
                partition_by.clone_from(&named.partition_by);
            }
            if order_by.is_empty() {
                order_by.clone_from(&named.order_by);
            }
            frame = frame.or_else(|| named.frame.clone());
            base.clone_from(&named.base);
        }
        Ok(ResolvedWindow { partition_by, order_by, frame })
    }

    /// A RANGE frame may move by more digits than its sort key has: the key is widened then.
    fn widen_key(&mut self, window: &ResolvedWindow, order_by: &mut [Sort]) -> Result<()> {
        if let (Some(target), [only], [sort]) =
            (self.range_type(window)?, window.order_by.as_slice(), order_by)
        {
            let key = self.bind(&only.expr)?;
            sort.expr = self.planner.coerce(key, &target).expr;
        }
        Ok(())
    }

    /// The type a RANGE frame of numbers is computed in.
    fn range_type(&mut self, window: &ResolvedWindow) -> Result<Option<Type>> {
        let ([only], Some(frame)) = (window.order_by.as_slice(), &window.frame) else {
            return Ok(None);
        };
        if frame.units != FrameUnits::Range {
            return Ok(None);
        }
        let mut all = self.bind(&only.expr)?.data_type;
        if !all.is_numeric() {
            return Ok(None);
        }
        for bound in std::iter::once(&frame.start).chain(&frame.end) {
            if let FrameBound::Preceding(distance) | FrameBound::Following(distance) = bound {
                let distance = self.bind(distance)?.data_type;
                all = coercion::common(&all, &distance).unwrap_or(all);
            }
        }
        Ok(Some(all))
    }

    fn frame(&mut self, window: &ResolvedWindow, frame: &Frame) -> Result<WindowFrame> {
        let order_by = window.order_by.as_slice();
        let units = match frame.units {
            FrameUnits::Rows => WindowFrameUnits::Rows,
            FrameUnits::Range => WindowFrameUnits::Range,
            FrameUnits::Groups => WindowFrameUnits::Groups,
        };
        let key_type = match (self.range_type(window)?, order_by) {
            (Some(widened), _) => Some(widened),
            (None, [only]) => Some(self.bind(&only.expr)?.data_type),
            (None, _) => None,
        };
        if units == WindowFrameUnits::Groups && order_by.is_empty() {
            return Err(semantic(frame.at, "Window frame of type GROUPS requires ORDER BY"));
        }
        let start = self.frame_bound(&frame.start, units, key_type.as_ref())?;
        let end = match &frame.end {
            Some(end) => self.frame_bound(end, units, key_type.as_ref())?,
            None => WindowFrameBound::CurrentRow,
        };
        let backwards = matches!(frame.start, FrameBound::UnboundedFollowing)
            || matches!(frame.end, Some(FrameBound::UnboundedPreceding))
            || matches!(
                (&frame.start, &frame.end),
                (
                    FrameBound::Following(_),
                    None | Some(FrameBound::CurrentRow | FrameBound::Preceding(_))
                )
            )
            || matches!(
                (&frame.start, &frame.end),
                (FrameBound::CurrentRow, Some(FrameBound::Preceding(_)))
            );
        if backwards {
            let message = "Window frame starting point cannot be after its ending point";
            return Err(semantic(frame.at, message));
        }
        Ok(WindowFrame::new_bounds(units, start, end))
    }

    fn frame_bound(
        &mut self,
        bound: &FrameBound,
        units: WindowFrameUnits,
        key_type: Option<&Type>,
    ) -> Result<WindowFrameBound> {
        Ok(match bound {
            FrameBound::UnboundedPreceding => {
                WindowFrameBound::Preceding(ScalarValue::UInt64(None))
            }
            FrameBound::UnboundedFollowing => {
                WindowFrameBound::Following(ScalarValue::UInt64(None))
            }
            FrameBound::CurrentRow => WindowFrameBound::CurrentRow,
            FrameBound::Preceding(distance) => {
                WindowFrameBound::Preceding(self.distance(distance, units, key_type)?)
            }
            FrameBound::Following(distance) => {
                WindowFrameBound::Following(self.distance(distance, units, key_type)?)
            }
        })
    }

    /// A frame's distance must be a constant here; Trino also allows an expression.
    fn distance(
        &mut self,
        distance: &Expr,
        units: WindowFrameUnits,
        key_type: Option<&Type>,
    ) -> Result<ScalarValue> {
        let bound = self.bind(distance)?;
        let at = distance.at;
        let data_type = bound.data_type.clone();
        if units != WindowFrameUnits::Range {
            let bound = match data_type.is_integer() {
                true => self.planner.coerce(bound, &Type::BigInt),
                false => {
                    return Err(mismatch(
                        at,
                        format!(
                            "Window frame {units} value type must be exact numeric type with scale 0 (actual {data_type})"
                        ),
                    ));
                }
            };
            return match bound.scalar() {
                Some(ScalarValue::Int64(Some(value))) if *value >= 0 => {
                    Ok(ScalarValue::UInt64(u64::try_from(*value).ok()))
                }
                Some(_) => {
                    Err(semantic(at, "Window frame offset value must not be negative or null"))
                }
                None => Err(not_constant(at)),
            };
        }
        let Some(key_type) = key_type else {
            let message = "Window frame of type RANGE PRECEDING or FOLLOWING requires single sort item in ORDER BY";
            return Err(semantic(at, message));
        };
        let target = match (key_type, &data_type) {
            (_, Type::IntervalDayToSecond | Type::IntervalYearToMonth)
                if key_type.is_temporal() =>
            {
                data_type.clone()
            }
            _ if coercion::converts(&data_type, key_type) => key_type.clone(),
            _ => {
                let message = format!(
                    "Window frame RANGE value type ({data_type}) not compatible with sort item type ({key_type})"
                );
                return Err(mismatch(at, message));
            }
        };
        let bound = self.planner.coerce(bound, &target);
        let scalar = bound.scalar().cloned().ok_or_else(|| not_constant(at))?;
        // DataFusion moves dates and timestamps by month-day-nano intervals.
        Ok(match scalar {
            ScalarValue::DurationMillisecond(Some(value)) => ScalarValue::new_interval_mdn(
                0,
                0,
                value.checked_mul(1_000_000).ok_or_else(|| not_constant(at))?,
            ),
            ScalarValue::IntervalYearMonth(Some(value)) => {
                ScalarValue::new_interval_mdn(value, 0, 0)
            }
            other => other,
        })
    }
}

fn not_constant(at: usize) -> SqlError {
    let message = "a window frame offset that is not a constant is not supported";
    SqlError::at(ErrorKind::Unsupported, at, message)
}

/// Lets DataFusion complete a frame for the order it has.
fn regular(frame: WindowFrame, order_by: &[Sort], at: usize) -> Result<WindowFrame> {
    let mut order_by = order_by.to_vec();
    frame.regularize_order_bys(&mut order_by).map_err(|error| SqlError::engine(at, &error))?;
    Ok(frame)
}
