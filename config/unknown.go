package config

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"
)

const prefix = "SITEHOOKS_"

// known are the names of all variables.
func known() []string {
	var names []string
	for field := range reflect.TypeFor[variables]().Fields() {
		names = append(names, field.Tag.Get("env"))
	}
	return names
}

// unknown reports each variable that looks like one of Sitehooks' but is not:
// misspelt, it would have no effect.
func (f *Faults) unknown(values map[string]string) {
	all := known()
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !strings.HasPrefix(name, prefix) || values[name] == "" || slices.Contains(all, name) || ofKubernetes(name) {
			continue
		}
		*f = append(*f, Fault{Variable: name, Text: "is not a known variable; the nearest is " + nearest(name, all)})
	}
}

// nearest is the name that takes the fewest changes; among equals the one that
// begins as the misspelt one does.
func nearest(name string, all []string) string {
	if bare := strings.TrimPrefix(name, prefix); slices.Contains(all, bare) {
		return bare
	}
	return slices.MinFunc(all, func(a, b string) int {
		return cmp.Or(cmp.Compare(distance(name, a), distance(name, b)), cmp.Compare(alike(name, b), alike(name, a)))
	})
}

// alike is how many letters two names begin with in common.
func alike(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// ofKubernetes reports whether Kubernetes sets this variable for a Service
// named sitehooks.
func ofKubernetes(name string) bool {
	return strings.HasPrefix(name, prefix+"SERVICE_") || strings.HasPrefix(name, prefix+"PORT")
}

// distance is how many letters have to be inserted, deleted or replaced to make
// b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0]++
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
