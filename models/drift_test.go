package models_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestSchemaMatchesRecords holds the migrations against the records: the same
// columns, of a type that fits, null exactly where the record has a pointer.
func TestSchemaMatchesRecords(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		db := s.DB().WithContext(t.Context())
		for _, record := range models.Records() {
			stmt := &gorm.Statement{DB: db}
			ok(t, stmt.Parse(record))
			columns, err := db.Migrator().ColumnTypes(record)
			ok(t, err)
			table, inDB := stmt.Schema.Table, map[string]gorm.ColumnType{}
			for _, c := range columns {
				inDB[c.Name()] = c
				if !slices.Contains(stmt.Schema.DBNames, c.Name()) {
					t.Errorf("%s.%s has no field", table, c.Name())
				}
			}
			for _, f := range stmt.Schema.Fields {
				if f.DBName == "" || !f.Creatable && !f.Updatable {
					continue
				}
				c, there := inDB[f.DBName]
				if !there {
					t.Errorf("%s.%s is not in the migrations", table, f.DBName)
					continue
				}
				if kind := columnKind(c.DatabaseTypeName()); kind != fieldKind(f.FieldType) {
					t.Errorf("%s.%s is %s (%s), the record has %s", table, f.DBName, kind, c.DatabaseTypeName(), fieldKind(f.FieldType))
				}
				pointer := f.FieldType.Kind() == reflect.Pointer
				if null, known := c.Nullable(); known && null != pointer && !f.PrimaryKey {
					t.Errorf("%s.%s: null allowed is %v, the record says %v", table, f.DBName, null, pointer)
				}
			}
		}
	})
}

func columnKind(name string) string {
	for kind, names := range map[string][]string{
		"time": {"timestamptz", "datetime"}, "int": {"int8", "bigint", "integer", "int4"}, "bool": {"bool", "boolean"},
		"bytes": {"bytea", "blob"}, "text": {"text"},
	} {
		if slices.Contains(names, strings.ToLower(name)) {
			return kind
		}
	}
	return "unknown"
}

func fieldKind(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.String() == "time.Time":
		return "time"
	case t.String() == "[]uint8":
		return "bytes"
	case t.Kind() == reflect.Int64 || t.Kind() == reflect.Int32 || t.Kind() == reflect.Int:
		return "int"
	case t.Kind() == reflect.Bool:
		return "bool"
	}
	return "text" // strings, and values kept as JSON
}
