package events

import (
	"encoding/json"
	"fmt"
)

// A stranger is an event of another function, known by a field.
type stranger struct{ field, name string }

// strangers are what a trigger of the wrong function brings most often. The list is for the error's text only: what is
// not in it is refused as well. https://www.tencentcloud.com/document/product/583/31439, as of 2024-12-02.
var (
	strangers = []stranger{
		{"httpMethod", "an API Gateway request"},
		{"requestContext", "an HTTP request"},
		{"clslogs", "a delivery of CLS logs"},
		{"Records", "a batch of records"},
	}
	strangeRecords = []stranger{
		{"cos", "a COS event"},
		{"s3", "an OBS event"},
		{"CMQ", "a CMQ message"},
		{"Ckafka", "a CKafka message"},
	}
)

// unowned says what is wrong with an object that no source owns.
func unowned(o object) error {
	var records []object
	if err := json.Unmarshal(o["Records"], &records); err == nil && len(records) > 0 {
		for _, s := range strangeRecords {
			if records[0].has(s.field) {
				return s.refused()
			}
		}
	}
	for _, s := range strangers {
		if o.has(s.field) {
			return s.refused()
		}
	}
	_, err := parsePayload(o) // it has no action
	return err
}

func (s stranger) refused() error {
	return fmt.Errorf("%s, by its field %s: another function's event: take its trigger off this function", s.name, s.field)
}
