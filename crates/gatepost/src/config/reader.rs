//! Reads the tables of the file against the declared keys, and collects every error on the way.
//!
//! A value that is missing or wrong leaves an error here and a harmless stand-in with the caller; no stand-in ever
//! gets out, since a configuration with an error is not handed out at all.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use toml::de::{DeTable, DeValue};

use super::Secret;
use super::error::{ConfigError, ERRORS_MAX, Fault, Lines, Span};
use super::keys::{self, Default, Key, Kind, Scope};
use super::value;

pub(super) mod convert;
mod faults;

/// The file that is being read, and what is wrong with it so far.
#[derive(Debug)]
pub(super) struct Reader<'t> {
    file: String,
    folder: PathBuf,
    lines: Lines<'t>,
    errors: RefCell<Vec<ConfigError>>,
    /// Stands in for tables that are not given.
    empty: DeTable<'t>,
    /// Lines where the TOML itself is broken: what stands there, or seems to be missing anywhere, may be right.
    broken: RefCell<BTreeSet<usize>>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(file: &str, text: &'t str) -> Reader<'t> {
        let folder = Path::new(file).parent().unwrap_or(Path::new(""));
        Reader {
            file: file.to_owned(),
            folder: folder.to_owned(),
            lines: Lines::new(text),
            errors: RefCell::default(),
            empty: DeTable::new(),
            broken: RefCell::default(),
        }
    }

    /// Notes an error of the TOML syntax.
    pub(super) fn syntax_error(&self, error: &toml::de::Error) {
        let span = error.span().unwrap_or(0..0);
        let (line, column) = self.lines.position(span.start);
        self.broken.borrow_mut().insert(line);
        let remedy = "write TOML 1.1: `key = value` lines under `[table]` and `[[list]]` headers, text in quotes, each \
                      key once";
        self.error_at(
            &self.file,
            line,
            column,
            "",
            Fault::new(error.message(), remedy),
        );
    }

    /// Notes an error at this place of the file.
    pub(super) fn error(&self, span: Span, key: &str, fault: Fault) {
        let (line, column) = self.lines.position(span.start);
        if !self.broken.borrow().contains(&line) {
            self.error_at(&self.file, line, column, key, fault);
        }
    }

    /// Notes an error of a file that the configuration names.
    pub(super) fn error_at(&self, file: &str, line: usize, column: usize, key: &str, fault: Fault) {
        let mut errors = self.errors.borrow_mut();
        if errors.len() < ERRORS_MAX {
            errors.push(ConfigError {
                file: file.to_owned(),
                line,
                column,
                key: key.to_owned(),
                message: fault.message,
                remedy: fault.remedy,
            });
        }
    }

    /// The line of this place, for messages about another one.
    pub(super) fn line(&self, span: &Span) -> usize {
        self.lines.position(span.start).0
    }

    /// `FILE:LINE` of this place.
    pub(super) fn origin(&self, span: &Span) -> String {
        format!("{}:{}", self.file, self.line(span))
    }

    /// A path of the configuration: relative ones start at the folder of the file.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        self.folder.join(text)
    }

    fn is_broken(&self) -> bool {
        !self.broken.borrow().is_empty()
    }

    /// Whether anything is wrong so far.
    pub(super) fn has_errors(&self) -> bool {
        !self.errors.borrow().is_empty()
    }

    /// All errors, in the order of the file; those of other files behind.
    pub(super) fn into_errors(self) -> Vec<ConfigError> {
        let mut errors = self.errors.into_inner();
        let place = |error: &ConfigError| (error.file != self.file, error.line, error.column);
        errors.sort_by_key(place);
        errors
    }
}

/// A table of the file with the keys that it may hold.
pub(super) struct Section<'r, 't> {
    pub(super) reader: &'r Reader<'t>,
    scope: &'static Scope,
    table: &'r DeTable<'t>,
    span: Span,
}

/// The value of a key that takes either.
#[derive(Debug)]
pub(super) enum ToggleOrTable<'r, 't> {
    Toggle(bool),
    Table(Section<'r, 't>),
}

impl fmt::Debug for Section<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the table: it may hold secrets.
        f.debug_struct("Section")
            .field("scope", &self.scope.name)
            .finish_non_exhaustive()
    }
}

impl<'r, 't> Section<'r, 't> {
    /// Opens a table; notes the keys that it should not hold and those that it must.
    pub(super) fn open(
        reader: &'r Reader<'t>,
        scope: &'static Scope,
        table: &'r DeTable<'t>,
        span: Span,
    ) -> Section<'r, 't> {
        let section = Section {
            reader,
            scope,
            table,
            span,
        };
        for key in table.keys() {
            if scope.key(key.get_ref()).is_none() {
                let path = section.key_path(key.get_ref());
                reader.error(key.span(), &path, faults::unknown_key(scope, key.get_ref()));
            }
        }
        for key in scope.keys {
            let missing = key.default == Default::Required && !table.contains_key(key.name);
            if missing && !reader.is_broken() {
                section.error(key.name, faults::missing_key(scope, key));
            }
        }
        section
    }

    /// Whether the key is given.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether the key is given as a list of nothing.
    pub(super) fn is_empty_list(&self, key: &str) -> bool {
        let given = self.table.get(key).map(|value| value.get_ref());
        given
            .and_then(DeValue::as_array)
            .is_some_and(|entries| entries.is_empty())
    }

    /// Where the value of this key stands, or else the table.
    pub(super) fn span(&self, key: &str) -> Span {
        self.table
            .get(key)
            .map_or(self.span.clone(), |value| value.span())
    }

    /// Notes an error of this key.
    pub(super) fn error(&self, key: &str, fault: Fault) {
        self.error_at(self.span(key), key, fault);
    }

    /// Notes an error of this key at a place of one's own, such as an entry of a list.
    pub(super) fn error_at(&self, span: Span, key: &str, fault: Fault) {
        self.reader.error(span, &self.key_path(key), fault);
    }

    /// `listener.bind`.
    pub(super) fn key_path(&self, key: &str) -> String {
        match self.scope.name {
            "" => key.to_owned(),
            scope => format!("{scope}.{key}"),
        }
    }

    /// The value of a key, or its default, converted; `None` if there is neither, or it is wrong, which is noted.
    fn read<T>(
        &self,
        name: &str,
        convert: impl Fn(&Key, &DeValue<'_>) -> Result<T, Fault>,
    ) -> Option<T> {
        let key = self.scope.key(name);
        debug_assert!(key.is_some(), "{} is not declared", self.key_path(name));
        let key = key?;
        match (self.table.get(name), key.default) {
            (Some(value), _) => convert(key, value.get_ref())
                .map_err(|fault| self.error(name, fault))
                .ok(),
            (None, Default::Value(default)) => {
                let value = DeValue::parse(default).ok()?;
                convert(key, value.get_ref()).ok()
            }
            (None, _) => None,
        }
    }

    pub(super) fn toggle(&self, key: &str) -> bool {
        self.read(key, convert::toggle).unwrap_or_default()
    }

    pub(super) fn integer<N: TryFrom<u64> + std::default::Default>(&self, key: &str) -> N {
        self.integer_if_given(key).unwrap_or_default()
    }

    pub(super) fn integer_if_given<N: TryFrom<u64>>(&self, key: &str) -> Option<N> {
        self.read(key, convert::integer)
            .and_then(|number| number.try_into().ok())
    }

    pub(super) fn number_if_given(&self, key: &str) -> Option<f32> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a score needs no more than the digits of f32"
        )]
        self.read(key, convert::number).map(|number| number as f32)
    }

    pub(super) fn bytes(&self, key: &str) -> u64 {
        self.read(key, convert::bytes).unwrap_or_default()
    }

    pub(super) fn duration(&self, key: &str) -> Duration {
        self.read(key, convert::duration).unwrap_or_default()
    }

    /// A string with a form of its own.
    pub(super) fn form<T>(&self, key: &str, parse: impl Fn(&str) -> Result<T, Fault>) -> Option<T> {
        self.read(key, |key, value| parse(convert::string(key, value)?))
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.form(key, value::text)
    }

    pub(super) fn name(&self, key: &str) -> Option<String> {
        self.form(key, value::name)
    }

    pub(super) fn secret(&self, key: &str) -> Option<Secret> {
        self.form(key, |text| match text {
            "" => Err(Fault::new(
                "the secret is empty",
                "write it, or leave the key out",
            )),
            text => Ok(Secret::new(text)),
        })
    }

    /// One of the words that the key is declared with, as its place among `values`.
    pub(super) fn choice<T: Copy>(&self, key: &str, values: &[(&str, T)]) -> Option<T> {
        let word = self.read(key, convert::choice)?;
        let found = values.iter().find(|(name, _)| *name == word);
        debug_assert!(
            found.is_some(),
            "{word} of {} is not read",
            self.key_path(key)
        );
        found.map(|&(_, value)| value)
    }

    /// A path of something that we make.
    pub(super) fn path(&self, key: &str) -> Option<PathBuf> {
        self.form(key, |text| self.path_of(text))
    }

    /// A path of a file that must be there and readable.
    pub(super) fn file(&self, key: &str) -> Option<PathBuf> {
        self.form(key, |text| {
            let path = self.path_of(text)?;
            match std::fs::File::open(&path).and_then(|file| file.metadata()) {
                Ok(metadata) if metadata.is_file() => Ok(path),
                Ok(_) => Err(Fault::new(format!("{} is not a file", path.display()), "name a file")),
                Err(error) => Err(Fault::new(
                    format!("cannot read {}: {error}", path.display()),
                    "make the file, mend its path (a relative one starts at the folder of this file) or its permissions",
                )),
            }
        })
    }

    fn path_of(&self, text: &str) -> Result<PathBuf, Fault> {
        match text {
            "" => Err(Fault::new(
                "the path is empty",
                "write the path, or leave the key out",
            )),
            text if text.contains('\0') => Err(Fault::new("the path holds a NUL", "remove it")),
            text => Ok(self.reader.path(text)),
        }
    }

    pub(super) fn networks(&self, key: &str) -> Vec<IpNet> {
        self.list(key, value::network)
            .into_iter()
            .map(|(network, _)| network)
            .collect()
    }

    pub(super) fn sockets(&self, key: &str) -> Vec<(SocketAddr, Span)> {
        self.list(key, value::socket)
    }

    /// The entries of a list with their places; wrong ones are noted and left out.
    pub(super) fn list<T>(
        &self,
        key: &str,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Vec<(T, Span)> {
        let Some(given) = self.table.get(key) else {
            return self
                .read(key, |key, value| {
                    let entries = convert::array(key, value)?.iter();
                    entries
                        .map(|entry| Ok((parse(convert::entry(key, entry.get_ref())?)?, 0..0)))
                        .collect()
                })
                .unwrap_or_default();
        };
        let Some(declared) = self.scope.key(key) else {
            return Vec::new();
        };
        let entries = match convert::array(declared, given.get_ref()) {
            Ok(entries) => entries,
            Err(fault) => {
                self.error(key, fault);
                return Vec::new();
            }
        };
        let mut values = Vec::with_capacity(entries.len());
        for entry in entries.iter() {
            match convert::entry(declared, entry.get_ref()).and_then(&parse) {
                Ok(value) => values.push((value, entry.span())),
                Err(fault) => self.error_at(entry.span(), key, fault),
            }
        }
        values
    }

    /// The table under this key; `None` if it is not given or no table, which is noted.
    pub(super) fn table(&self, name: &str) -> Option<Section<'r, 't>> {
        let scope = self.scope_under(name)?;
        let value = self.table.get(name)?;
        self.as_section(name, scope, value.get_ref(), value.span())
    }

    /// The table under this key, or an empty one, which holds the defaults.
    pub(super) fn table_or_empty(&self, name: &str) -> Option<Section<'r, 't>> {
        if self.has(name) {
            return self.table(name);
        }
        let scope = self.scope_under(name)?;
        Some(Section::open(
            self.reader,
            scope,
            &self.reader.empty,
            self.span.clone(),
        ))
    }

    /// The tables of the list under this key.
    pub(super) fn tables(&self, name: &str) -> Vec<Section<'r, 't>> {
        let (Some(scope), Some(value)) = (self.scope_under(name), self.table.get(name)) else {
            return Vec::new();
        };
        let DeValue::Array(entries) = value.get_ref() else {
            let fault = Fault::new(
                format!(
                    "`{name}` must be a list of tables, not {}",
                    convert::article(value.get_ref())
                ),
                format!(
                    "write the header `[[{name}]]` with double brackets, or `{name} = [{{ ... }}]`"
                ),
            );
            self.error(name, fault);
            return Vec::new();
        };
        let section = |entry: &'r toml::Spanned<DeValue<'t>>| {
            self.as_section(name, scope, entry.get_ref(), entry.span())
        };
        entries.iter().filter_map(section).collect()
    }

    /// The tables under this key by the names that the operator gave them.
    pub(super) fn named_tables(&self, name: &str) -> Vec<(&'r str, Section<'r, 't>)> {
        let scope = self.scope_under(name);
        let value = self
            .table
            .get(name)
            .map(|value| (value.get_ref(), value.span()));
        let (Some(scope), Some((value, span))) = (scope, value) else {
            return Vec::new();
        };
        let DeValue::Table(table) = value else {
            self.error_at(span, name, convert::not_a_table(name, value));
            return Vec::new();
        };
        let section = |(key, value): (&'r toml::Spanned<_>, &'r toml::Spanned<DeValue<'t>>)| {
            let key: &'r std::borrow::Cow<'t, str> = key.get_ref();
            Some((
                &**key,
                self.as_section(name, scope, value.get_ref(), value.span())?,
            ))
        };
        table.iter().filter_map(section).collect()
    }

    /// What is under this key; `None` if it is not given or neither.
    pub(super) fn toggle_or_table(&self, name: &str) -> Option<ToggleOrTable<'r, 't>> {
        match self.table.get(name)?.get_ref() {
            DeValue::Boolean(on) => Some(ToggleOrTable::Toggle(*on)),
            DeValue::Table(_) => self.table(name).map(ToggleOrTable::Table),
            value => {
                let key = self.scope.key(name)?;
                self.error(name, convert::wrong_type(key, value));
                None
            }
        }
    }

    fn scope_under(&self, name: &str) -> Option<&'static Scope> {
        let key = self.scope.key(name);
        debug_assert!(key.is_some(), "{} is not declared", self.key_path(name));
        match key?.kind {
            Kind::Table(scope)
            | Kind::Tables(scope)
            | Kind::NamedTables(scope)
            | Kind::ToggleOrTable(scope) => keys::scope(scope),
            _ => None,
        }
    }

    fn as_section(
        &self,
        name: &str,
        scope: &'static Scope,
        value: &'r DeValue<'t>,
        span: Span,
    ) -> Option<Section<'r, 't>> {
        if let DeValue::Table(table) = value {
            return Some(Section::open(self.reader, scope, table, span));
        }
        self.error_at(span, name, convert::not_a_table(name, value));
        None
    }
}

#[cfg(test)]
mod tests;
