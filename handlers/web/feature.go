package web

import "github.com/sitehooks/sitehooks/jobs/wire"

// NeedsFeature tells whether the site setting for generic webhooks can switch a
// type off. It is true of an unknown type.
func NeedsFeature(name string) bool {
	f, ok := wire.Lookup(name)
	return !ok || f.NeedsFeature
}
