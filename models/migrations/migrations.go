// Package migrations holds the schema of each database, forward only. From
// 1.0.0 on a release's migrations leave the previous release working: columns
// are added before they are used and dropped one release after their last use.
package migrations

import "embed"

// FS has one folder a dialect: postgres and sqlite.
//
//go:embed postgres/*.sql sqlite/*.sql
var FS embed.FS
