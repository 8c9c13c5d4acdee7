package handlers

import "github.com/sitehooks/sitehooks/jobs/wire"

func needsFeature(name string) bool {
	f, ok := wire.Lookup(name)
	return !ok || f.NeedsFeature
}
