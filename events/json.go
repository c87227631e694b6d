package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

const (
	// maxSize is more than any platform delivers asynchronously: SCF 128 KiB, FunctionGraph 256 KiB.
	maxSize = 256 << 10
	// maxDepth is far more than any event that relock knows has.
	maxDepth = 32
)

// wellFormed returns raw without the white space around it when it is one JSON value that every reader reads alike:
// valid UTF-8, nothing behind it, no object with two fields of one name, no deeper than maxDepth.
func wellFormed(raw []byte) ([]byte, error) {
	if len(raw) > maxSize {
		return nil, fmt.Errorf("%d bytes long: send at most %d", len(raw), maxSize)
	}
	raw = bytes.Trim(raw, " \t\r\n") // JSON's white space
	if len(raw) == 0 {
		return nil, errors.New(`empty: send {"action":"rotate"}`)
	}
	if !utf8.Valid(raw) {
		return nil, errors.New("not UTF-8: send JSON in UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	var whole json.RawMessage
	switch err := d.Decode(&whole); {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("cut off after %d bytes: send the whole JSON", len(raw))
	case err != nil:
		return nil, fmt.Errorf("not JSON (%w): send one JSON object", err)
	case len(whole) < len(raw):
		return nil, fmt.Errorf("something follows the JSON that ends at byte %d: send one JSON object", len(whole))
	}
	d = json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // a number that no float64 holds is no fault here
	if err := unambiguous(d, 0); err != nil {
		return nil, err
	}
	return raw, nil
}

// unambiguous reads one value from d, whose input is valid JSON, and reports fields that are there twice and values
// that are deeper than maxDepth.
func unambiguous(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return fmt.Errorf("read JSON: %w", err)
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxDepth {
		return fmt.Errorf("nested deeper than %d: send something flatter", maxDepth)
	}
	seen := make(map[any]bool)
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			if err != nil {
				return fmt.Errorf("read JSON: %w", err)
			}
			if seen[name] {
				return fmt.Errorf("field %s is there twice: write it once", short(fmt.Sprint(name)))
			}
			seen[name] = true
		}
		if err := unambiguous(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token() // the closing one
	return err
}
