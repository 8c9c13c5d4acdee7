package wire

import (
	"encoding/json"
	"slices"
	"strings"
)

// property is a member of the JSON object that a webhook adds to each of its
// messages; key is its name as JSON.
type property struct {
	name       string
	key, value []byte
}

// readProperties reads the members in their order; none from an empty text.
// The error is a sentence for people.
func readProperties(object string) ([]property, error) {
	const want = sentence(`Enter a JSON object such as {"source": "forum"}.`)
	if object == "" {
		return nil, nil
	}
	if _, err := parseObject([]byte(object)); err != nil {
		return nil, want
	}
	var list []property
	seen := map[string]bool{}
	dec := json.NewDecoder(strings.NewReader(object))
	_, err := dec.Token() // the opening brace
	for err == nil && dec.More() {
		var token json.Token
		var value json.RawMessage
		if token, err = dec.Token(); err != nil {
			break
		}
		if err = dec.Decode(&value); err != nil {
			break
		}
		p := property{value: compacted(value)}
		p.name, _ = token.(string)
		if seen[p.name] {
			return nil, sentencef("The property “%s” appears twice.", shown(p.name))
		}
		seen[p.name] = true
		p.key, err = encode(p.name)
		list = append(list, p)
	}
	if err != nil {
		return nil, want // cannot happen: the object was parsed before
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
			return "", sentencef("“%s” is a key of every message, so no property can have this name.", shown(p.name))
		}
	}
	return string(compacted(json.RawMessage(typed))), nil
}

// moreProperties writes the members of a JSON object as they follow others, each
// after a comma, except those with a name that the body uses itself, in any
// case.
func moreProperties(object string, own []string) (text []byte) {
	members, _ := readProperties(object) // the form and the API let nothing pass that cannot be read
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
