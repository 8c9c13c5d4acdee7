package web

import "github.com/sitehooks/sitehooks/jobs/wire"

func NeedsFeature(name string) bool {
	f, ok := wire.Lookup(name)
	return !ok || f.NeedsFeature
}
