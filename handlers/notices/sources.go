package notices

import (
	"fmt"
	"hash/crc32"
	"slices"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// sourcesNamed is how many sources have a line each.
const sourcesNamed = 5

// Source is the notice about one source.
type Source struct {
	models.Trouble
	Name string
	Path string
	Key  string // changes when the condition recurs
}

// addSources names sources of which something is wrong, but for those that were
// put aside.
func (a *Notices) addSources(rows []models.SourceRow, now time.Time, aside []string) {
	for _, row := range rows {
		n := Source{Trouble: row.Trouble(now), Name: row.Name, Path: "/admin/sources/" + row.Name}
		since := n.Since
		if n.Behind > 0 { // it moves on while the follower works
			since = since.Truncate(24 * time.Hour)
		}
		n.Key = fmt.Sprintf("q%d.%d", crc32.ChecksumIEEE([]byte(row.Name)), max(0, since.Unix()))
		switch {
		case slices.Contains(aside, n.Key):
		case len(a.Sources) < sourcesNamed:
			a.Sources = append(a.Sources, n)
		default:
			a.MoreSources++
		}
	}
}
