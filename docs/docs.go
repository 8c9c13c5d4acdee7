// Package docs has the guides that the console shows too.
package docs

import "embed"

// Receivers are the guides for receivers, one file a type of webhook, named
// receivers/TYPE.md.
//
//go:embed receivers/*.md
var Receivers embed.FS
