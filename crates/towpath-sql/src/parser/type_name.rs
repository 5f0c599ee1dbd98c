//! Type names: `varchar(10)`, `array(row(a bigint, varchar))`, `timestamp(3) with time zone` …

use super::Parser;
use crate::data_type::{DECIMAL_PRECISION_MAX, RowField, TIME_PRECISION_MAX, Type};
use crate::error::{ErrorKind, Result, SqlError};
use crate::lexer::TokenKind;

/// Longest `varchar(n)` and `char(n)`, as in Trino.
const VARCHAR_LENGTH_MAX: u64 = 2_147_483_646;
const CHAR_LENGTH_MAX: u64 = 65_536;

/// Reads the name of a type as [`Type`] displays it and as statements spell it.
pub(crate) fn parse_type(text: &str) -> Result<Type> {
    let mut parser = Parser::new(text, None);
    let parsed = parser.type_name()?;
    if *parser.peek() == TokenKind::End { Ok(parsed) } else { Err(parser.error("<EOF>")) }
}

impl Parser<'_> {
    pub(super) fn type_name(&mut self) -> Result<Type> {
        let mut parsed = self.nested(Parser::type_head)?;
        while self.at_word("ARRAY") {
            self.next += 1;
            if self.accept_symbol("[") {
                self.integer("<integer>")?;
                self.expect_symbol("]")?;
            }
            parsed = Type::Array(Box::new(parsed));
        }
        Ok(parsed)
    }

    fn type_head(&mut self) -> Result<Type> {
        let at = self.offset();
        let TokenKind::Word(word) = self.peek() else { return Err(self.error("<type>")) };
        let name = word.to_ascii_lowercase();
        self.next += 1;
        match name.as_str() {
            "boolean" => Ok(Type::Boolean),
            "tinyint" => Ok(Type::TinyInt),
            "smallint" => Ok(Type::SmallInt),
            "int" | "integer" => Ok(Type::Integer),
            "bigint" => Ok(Type::BigInt),
            "real" => Ok(Type::Real),
            "double" => {
                self.accept_word("PRECISION");
                Ok(Type::Double)
            }
            "varbinary" => Ok(Type::Varbinary),
            "json" => Ok(Type::Json),
            "date" => Ok(Type::Date),
            "ipaddress" => Ok(Type::IpAddress),
            "uuid" => Ok(Type::Uuid),
            "hyperloglog" => Ok(Type::HyperLogLog),
            "unknown" => Ok(Type::Unknown),
            "varchar" => self.varchar(),
            "char" => self.char(),
            "decimal" | "dec" | "numeric" => self.decimal(),
            "time" | "timestamp" => self.temporal(&name),
            "interval" => self.interval_type(),
            "array" => self.array_type(),
            "map" => self.map_type(),
            "row" => self.row_type(),
            _ => {
                let message = format!("Unknown type: {name}");
                Err(SqlError::at(ErrorKind::TypeMismatch, at, message))
            }
        }
    }

    fn type_parameter(&mut self, max: u64) -> Result<Option<u64>> {
        if !self.accept_symbol("(") {
            return Ok(None);
        }
        let (value, at) = self.integer("<integer>")?;
        self.expect_symbol(")")?;
        if value > max {
            let message = format!("type parameter {value} is larger than {max}");
            return Err(SqlError::at(ErrorKind::TypeMismatch, at, message));
        }
        Ok(Some(value))
    }

    fn varchar(&mut self) -> Result<Type> {
        let length = self.type_parameter(VARCHAR_LENGTH_MAX)?;
        Ok(Type::Varchar(length.and_then(|length| u32::try_from(length).ok())))
    }

    fn char(&mut self) -> Result<Type> {
        let length = self.type_parameter(CHAR_LENGTH_MAX)?.unwrap_or(1);
        Ok(Type::Char(u32::try_from(length).unwrap_or(1)))
    }

    fn decimal(&mut self) -> Result<Type> {
        let at = self.offset();
        let (mut precision, mut scale) = (u64::from(DECIMAL_PRECISION_MAX), 0);
        if self.accept_symbol("(") {
            precision = self.integer("<integer>")?.0;
            if self.accept_symbol(",") {
                scale = self.integer("<integer>")?.0;
            }
            self.expect_symbol(")")?;
        }
        let max = u64::from(DECIMAL_PRECISION_MAX);
        if precision == 0 || precision > max {
            let message = format!("DECIMAL precision must be in range [1, {max}]: {precision}");
            return Err(SqlError::at(ErrorKind::TypeMismatch, at, message));
        }
        if scale > precision {
            let message =
                format!("DECIMAL scale must be in range [0, precision ({precision})]: {scale}");
            return Err(SqlError::at(ErrorKind::TypeMismatch, at, message));
        }
        Ok(Type::Decimal(precision.try_into().unwrap_or(1), scale.try_into().unwrap_or(0)))
    }

    fn temporal(&mut self, name: &str) -> Result<Type> {
        let at = self.offset();
        let precision = self.type_parameter(12)?.unwrap_or(3);
        if precision > u64::from(TIME_PRECISION_MAX) {
            return Err(
                self.unsupported(at, &format!("{name} precision above {TIME_PRECISION_MAX}"))
            );
        }
        let precision = u8::try_from(precision).unwrap_or(3);
        let zoned = self.accept_words(&["WITH", "TIME", "ZONE"]);
        self.accept_words(&["WITHOUT", "TIME", "ZONE"]);
        match (name, zoned) {
            ("timestamp", true) => Ok(Type::TimestampTz(precision)),
            ("timestamp", false) => Ok(Type::Timestamp(precision)),
            (_, false) => Ok(Type::Time(precision)),
            (_, true) => Err(self.unsupported(at, "time with time zone")),
        }
    }

    fn interval_type(&mut self) -> Result<Type> {
        if self.accept_words(&["YEAR", "TO", "MONTH"]) {
            return Ok(Type::IntervalYearToMonth);
        }
        if self.accept_words(&["DAY", "TO", "SECOND"]) {
            return Ok(Type::IntervalDayToSecond);
        }
        Err(self.error("'YEAR TO MONTH', 'DAY TO SECOND'"))
    }

    fn array_type(&mut self) -> Result<Type> {
        let close = self.open_type_arguments()?;
        let item = self.type_name()?;
        self.expect_symbol(close)?;
        Ok(Type::Array(Box::new(item)))
    }

    fn map_type(&mut self) -> Result<Type> {
        let close = self.open_type_arguments()?;
        let key = self.type_name()?;
        self.expect_symbol(",")?;
        let value = self.type_name()?;
        self.expect_symbol(close)?;
        Ok(Type::Map(Box::new(key), Box::new(value)))
    }

    /// Opens `(` or the legacy `<`, and returns what closes it.
    fn open_type_arguments(&mut self) -> Result<&'static str> {
        if self.accept_symbol("<") {
            return Ok(">");
        }
        self.expect_symbol("(")?;
        Ok(")")
    }

    fn row_type(&mut self) -> Result<Type> {
        self.expect_symbol("(")?;
        let fields = self.comma_separated(Parser::row_field)?;
        self.expect_symbol(")")?;
        Ok(Type::Row(fields))
    }

    fn row_field(&mut self) -> Result<RowField> {
        // `row(bigint, varchar)` has no names; a name is followed by the word that starts a type.
        let named = self.ident_at(0) && matches!(self.token(1).kind, TokenKind::Word(_));
        let two_words = self.at_words(&["DOUBLE", "PRECISION"])
            || self.at_words(&["TIME", "WITH"])
            || self.at_words(&["TIMESTAMP", "WITH"])
            || self.at_words(&["INTERVAL", "DAY"])
            || self.at_words(&["INTERVAL", "YEAR"])
            || (self.word_at(1, "ARRAY") && !self.symbol_at(2, "(") && !self.symbol_at(2, "<"));
        let name = if named && !two_words { Some(self.ident()?.key()) } else { None };
        Ok(RowField { name, data_type: self.type_name()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displayed_types_read_back() {
        for name in [
            "varchar(3)",
            "decimal(38,2)",
            "timestamp(3) with time zone",
            "map(varchar, json)",
            "row(a bigint, \"b c\" varchar, array(date))",
            "interval day to second",
            "time(6)",
        ] {
            assert_eq!(parse_type(name).unwrap().to_string(), name);
        }
        assert_eq!(parse_type("bigint array").unwrap().to_string(), "array(bigint)");
        assert!(parse_type("decimal(39)").is_err());
    }
}
