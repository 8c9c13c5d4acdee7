package models

import "encoding/json"

// listed is a subquery of the values of a list that comes as one parameter,
// made by jsonList. With a parameter for each value, every length is another
// statement to prepare, and PostgreSQL compares row by row with all of them
// once it has.
func (s *Store) listed(kind string) string {
	if s.pool == nil {
		return "(select value from json_each(?))"
	}
	return "(select cast(value as " + kind + ") from json_array_elements_text(cast(? as json)))"
}

// jsonList writes a list for listed.
func jsonList[T int64 | string | [2]string](values []T) string {
	if len(values) == 0 {
		return "[]"
	}
	text, _ := json.Marshal(values) // numbers and strings always can be
	return string(text)
}

// among says that a column is in a list of ids as listed has it. PostgreSQL
// goes by the column's index then, however long it believes the list to be.
func (s *Store) among(column string) string { return s.amongSome(column, "bigint") }

// amongSome is among for a column of another kind.
func (s *Store) amongSome(column, kind string) string {
	if s.pool == nil {
		return column + " in " + s.listed(kind)
	}
	return column + " = any(array" + s.listed(kind) + ")"
}

// each is a table of the elements of a list that comes as one parameter, in
// its column value.
func (s *Store) each() string {
	if s.pool == nil {
		return "json_each(?)"
	}
	return "json_array_elements(cast(? as json))"
}
