package wire

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

// property is a member of the JSON object that a webhook adds to each of its
// messages; key is its name as JSON.
type property struct {
	name       string
	key, value []byte
}

// readProperties reads the members in their order; none from an empty text.
// The error is a sentence for people.
func readProperties(text string) ([]property, error) {
	if text == "" {
		return nil, nil
	}
	o, err := object.Parse([]byte(text))
	if err != nil {
		return nil, Sentence(`Enter a JSON object such as {"source": "forum"}.`)
	}
	var list []property
	seen := map[string]bool{}
	for _, m := range o.Members() {
		p := property{string(m.Name), object.Quote(string(m.Name)), object.Compact(m.Value)}
		if seen[p.name] {
			return nil, Sentencef("The property “%s” appears twice.", Shown(p.name))
		}
		seen[p.name] = true
		list = append(list, p)
	}
	return list, nil
}

// checkProperties puts them on one line, and refuses names that the body uses
// itself, in any case.
func checkProperties(typed string, own []string) (stored string, err error) {
	list, err := readProperties(typed)
	if len(list) == 0 {
		return "", err
	}
	for _, p := range list {
		if ownKey(own, p.name) {
			return "", Sentencef("“%s” is a key of every message, so no property can have this name.", Shown(p.name))
		}
	}
	return string(object.Compact(json.RawMessage(typed))), nil
}

// moreProperties writes the members of a JSON object as they follow others, each
// after a comma, except those with a name that the body uses itself, in any
// case.
func moreProperties(typed string, own []string) (text []byte) {
	members, _ := readProperties(typed) // the form and the API let nothing pass that cannot be read
	for _, m := range members {
		if !ownKey(own, m.name) {
			text = append(append(append(append(text, ','), m.key...), ':'), m.value...)
		}
	}
	return text
}

func ownKey(own []string, name string) bool {
	return slices.ContainsFunc(own, func(key string) bool { return strings.EqualFold(key, name) })
}
