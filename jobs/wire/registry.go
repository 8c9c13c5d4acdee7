package wire

import (
	"cmp"
	"fmt"
	"slices"
)

// registered holds the formats in menu order. It is filled by the types' init
// functions and only read afterwards.
var registered []*Format

// Register makes a type known. It is called from init functions, and panics
// when a type is incomplete or its name is taken: both are mistakes in the
// program that no user can mend.
func Register(f Format) {
	if f.Name == "" || f.Label == "" || len(f.Options) == 0 || f.NewID == nil || f.Compose == nil || f.Headers == nil || f.Samples == nil {
		panic(fmt.Sprintf("wire: format %q is incomplete", f.Name))
	}
	if f.AlwaysSigns && len(f.Secrets) == 0 {
		panic(fmt.Sprintf("wire: format %q always signs and has no secrets", f.Name))
	}
	if len(f.Secrets) > 0 && (f.NewSecret == nil || f.CheckSecret == nil) {
		panic(fmt.Sprintf("wire: format %q has secrets but cannot make or check them", f.Name))
	}
	if _, taken := Lookup(f.Name); taken {
		panic(fmt.Sprintf("wire: format %q is registered twice", f.Name))
	}
	f.Fields = append(slices.Clone(f.Fields), rateField())
	registered = append(registered, &f)
	slices.SortStableFunc(registered, func(a, b *Format) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Name, b.Name))
	})
}

// Lookup finds a type by its name.
func Lookup(name string) (*Format, bool) {
	for _, f := range registered {
		if f.Name == name {
			return f, true
		}
	}
	return nil, false
}

// Formats are all types in menu order.
func Formats() []*Format { return slices.Clone(registered) }
