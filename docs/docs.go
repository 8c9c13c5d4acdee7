// Package docs has the guides that the console shows too.
package docs

import "embed"

// Receivers are the guides for receivers, one file a type of webhook, named
// receivers/TYPE.md.
//
//go:embed receivers/*.md
var Receivers embed.FS

// Sources are the guides that connect other systems, one file a kind of source or
// follower, named sources/KIND.md.
//
//go:embed sources/*.md
var Sources embed.FS
