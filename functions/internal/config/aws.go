package config

import (
	"fmt"
	"regexp"

	"github.com/relock-project/relock/rotation"
	"github.com/relock-project/relock/rotation/aws"
)

func awsProvider() provider {
	return provider{
		home:       awsHome,
		secrets:    "AWS Secrets Manager",
		platform:   Lambda,
		region:     regionFrom(awsHome),
		variables:  awsVariables(),
		isSecret:   awsSecret.MatchString,
		secretForm: "name or ARN, not its value: 1 to 512 letters, digits and /_+=.@-",
		connect:    connectAWS,
	}
}

func awsVariables() [3]string {
	return [3]string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
}

// awsHome: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html. For the command it is nobody's home.
func awsHome(p Platform) (region, variable string) {
	const name = "AWS_REGION"
	if p != Lambda {
		return "", ""
	}
	return p.variable(name), name
}

// The name of a secret, or its ARN: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html.
var awsSecret = regexp.MustCompile(`^(arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:)?[A-Za-z0-9/_+=.@-]{1,512}$`)

type awsCloud struct{ config aws.Config }

func (a awsCloud) fleet(string) (rotation.Fleet, error) {
	return nil, fmt.Errorf("%w: RELOCK_FLEET=aws: AWS resets no passwords of machines", rotation.ErrConfig)
}

func (a awsCloud) store(region string) (rotation.Store, error) { return aws.NewStore(a.config, region) }

func (a awsCloud) shelf(region string) (rotation.Shelf, error) { return aws.NewShelf(a.config, region) }

// connectAWS takes the keys from the variables that Lambda sets and every tool of AWS understands. The SDK's own chain is not
// used: it ends at a metadata host that hangs where there is none, and links a quarter of the binary.
func connectAWS(c *Config, calls *rotation.Calls) (cloud, error) {
	names := awsVariables()
	keys, err := c.keys("aws", names)
	if err == nil && keys == nil {
		err = fmt.Errorf(`%s, %s: not set: set the two, and %s with temporary keys, as eval "$(aws configure export-credentials --format env)" does; a Lambda function needs an execution role`, names[0], names[1], names[2])
	}
	if err != nil {
		return nil, err
	}
	return awsCloud{aws.Config{Credentials: keys, Endpoint: c.AWSEndpoint, Calls: calls}}, nil
}
