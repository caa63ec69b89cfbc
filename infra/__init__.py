"""Infrastructure as code: the CDK stacks, and the commands that synthesize, bundle and deploy them.

Importing this package selects the pinned Node: jsii starts Node when it is imported, so this comes first.
"""

from infra.node import use_pinned_node

use_pinned_node()
