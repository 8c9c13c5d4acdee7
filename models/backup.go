package models

import (
	"context"
	"database/sql"
	"os"

	"github.com/sitehooks/sitehooks/models/db"
)

// Backup describes a copy of the database.
type Backup struct {
	Bytes int64
	Keys  []string // ids of the keys that its secrets are sealed with
}

// keysInUse lists the keys by which values are sealed: usually one, and more
// until rekey has sealed everything with the new one.
const keysInUse = `select distinct substr(sealed, 1, instr(sealed, '.') - 1) from (
	select key_check as sealed from installations
	union all select url from webhooks
	union all select secret_1 from webhooks
	union all select secret_2 from webhooks
	union all select headers from webhooks
	union all select secret_1 from sources
	union all select secret_2 from sources
	union all select address from sources
) where sealed <> '' order by 1`

// BackUp copies the SQLite database of a data folder to a new file, as it is at
// one moment, while an instance may be working with it.
func BackUp(ctx context.Context, dir, to string) (_ Backup, err error) {
	defer wrap(&err, "back up")
	var made Backup
	err = db.CopySQLite(ctx, dir, to, func(backup *sql.DB) error {
		rows, err := backup.QueryContext(ctx, keysInUse)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			made.Keys = append(made.Keys, id)
		}
		return rows.Err()
	})
	if err != nil {
		return Backup{}, err
	}
	info, err := os.Stat(to)
	if err == nil {
		made.Bytes = info.Size()
	}
	return made, err
}

// MakeFile creates an empty file in the data folder, readable by the owner of
// the folder alone. A file that is there already must be one that can be
// written to.
func MakeFile(path string) (err error) {
	defer wrap(&err, "make a file of the data folder")
	return db.MakeFile(path)
}

// GiveToFolder gives a new file to the owner of its folder, where root runs a
// command beside a service with a user of its own.
func GiveToFolder(f *os.File) (err error) {
	defer wrap(&err, "give a file to the owner of the data folder")
	return db.GiveToFolder(f)
}
