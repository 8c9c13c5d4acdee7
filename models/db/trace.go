package db

import "gorm.io/gorm"

// traced makes a database call record with each statement, as it was prepared,
// and its arguments. Inserts that go past gorm are not reported: they search
// nothing.
func traced(db *gorm.DB, record func(statement string, args []any)) error {
	if record == nil {
		return nil
	}
	trace := func(tx *gorm.DB) {
		if !tx.DryRun { // otherwise it is a part of another one
			record(tx.Statement.SQL.String(), tx.Statement.Vars)
		}
	}
	c := db.Callback()
	for kind, register := range map[string]func(string, func(*gorm.DB)) error{
		"create": c.Create().After("gorm:create").Register, "query": c.Query().After("gorm:query").Register,
		"update": c.Update().After("gorm:update").Register, "delete": c.Delete().After("gorm:delete").Register,
		"row": c.Row().After("gorm:row").Register, "raw": c.Raw().After("gorm:raw").Register,
	} {
		if err := register("trace:"+kind, trace); err != nil {
			return err
		}
	}
	return nil
}
