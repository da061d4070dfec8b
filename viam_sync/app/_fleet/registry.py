"""The methods of AppClient that change a module, send its file, and go through the registry."""

from __future__ import annotations

from typing import Iterator, List, Optional, Sequence, Tuple

from viam_sync.checks import require
from viam_sync.checks.numbers import boolean
from viam_sync.proto import app as pb
from viam_sync.proto.app import packages as packages_pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods
from viam_sync.transfer.output.progress import Progress, ProgressLike
from viam_sync.transfer.paging.paged_call import PagedCall
from viam_sync.transfer.paging.pages import PageItems, Pages
from viam_sync.transfer.upload.uploadable import Uploadable


def _read_registry_items(
    request: pb.ListRegistryItemsRequest, response: pb.ListRegistryItemsResponse
) -> Tuple[PageItems[pb.RegistryItem], str]:
    last = response.items[-1].item_id if response.items else ""
    # If the service ignores the token, each page is the same one, and the iteration would not end.
    return ([], "") if last == request.page_token else (response.items, last)


_REGISTRY_ITEMS = PagedCall(methods.LIST_REGISTRY_ITEMS, _read_registry_items)


class RegistryMixin(Service):
    """Methods for the modules and other items of the registry."""

    def update_module(
        self,
        module_id: str,
        url: str,
        description: str,
        models: Optional[List[pb.Model]],
        entrypoint: str,
        public: bool = False,
        *,
        first_run: Optional[str] = None,
        apps: Optional[List[pb.App]] = None,
        markdown_description: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> str:
        """Change the entry of a module in the registry; each argument replaces the former value.

        Args:
            module_id: ID of the module, such as ``my-namespace:my-module``.
            url: Address of its documentation and code.
            description: Short description.
            models: All models that it provides; None for no models.
            entrypoint: Path of the executable that starts it; must not be empty.
            public: Whether everyone can see it; without this, a public module becomes private.
            first_run: Path of a script that runs before the module first starts; None if there is none.
            apps: Web apps that it provides.
            markdown_description: Its documentation in Markdown; None if there is none.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            URL of the module's page.

        Raises:
            NotFoundError: If there is no such module.
            InvalidArgumentError: If the entrypoint is empty, or a model is no lowercase triplet such as ``a:b:c``.
            FailedPreconditionError: If it shall be public but its organization has no namespace, or private while
                other organizations use it.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> module_id = f"{sandbox.organization_id}:soil-sensor"
            >>> model = pb.Model(api="rdk:component:sensor", model="lesson-robotics:soil:probe")
            >>> app.update_module(module_id, "https://example.com", "Reads soil.", [model], "run.sh")
            'https://app.viam.com/module/.../soil-sensor'
        """
        require(module_id=module_id, url=url, description=description, entrypoint=entrypoint)
        public = boolean("public", public)
        request = pb.UpdateModuleRequest(
            module_id=module_id,
            visibility=pb.Visibility.VISIBILITY_PUBLIC if public else pb.Visibility.VISIBILITY_PRIVATE,
            url=url,
            description=description,
            models=models,
            entrypoint=entrypoint,
            first_run=first_run,
            apps=apps,
            markdown_description=markdown_description,
        )
        response: pb.UpdateModuleResponse = self._unary_unary(methods.UPDATE_MODULE, request, timeout)
        return response.url

    def upload_module_file(
        self,
        module_file_info: Optional[pb.ModuleFileInfo],
        file: Uploadable,
        *,
        progress: Optional[ProgressLike] = None,
        timeout: Optional[float] = None,
    ) -> str:
        """Upload the packed file of a version of a module.

        It is sent in pieces of 256 KiB, so that one read from a path or an open file is never held in memory as a
        whole. A version that has arrived cannot be replaced.

        Args:
            module_file_info: The module, the version and the platform; the service refuses a file without them.
            file: A tar archive packed with gzip (``.tar.gz``): bytes, the path of a file as a ``pathlib.Path``, or a
                file opened in binary mode, which is read from where it stands and left open.
            progress: True for a bar on the terminal or in a notebook; or a function that is called with the number of
                bytes sent, their total (None if that is not known), and ``"bytes"``.
            timeout: Seconds that the upload may take in all; None for no limit.

        Returns:
            URL of the uploaded file.

        Raises:
            TypeError: If ``file`` is none of these, a str or a file opened as text among them; nothing was sent.
            OSError: If the file cannot be read, or is changed while it is; nothing is stored then. Other
                errors that reading raises come out as they are, too.
            ImportError: If ``progress`` is True, and tqdm is not installed.
            AlreadyExistsError: If the module has this version for this platform already.
            InvalidArgumentError: If the information is missing, its version is no semantic one, its platform is not
                known, or the file is no tar archive packed with gzip.
            NotFoundError: If there is no such module.
            AmbiguousResultError: If nobody knows whether it was stored, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> module_id = f"{sandbox.organization_id}:soil-sensor"
            >>> info = pb.ModuleFileInfo(module_id=module_id, version="1.0.0", platform="linux/arm64")
            >>> url = app.upload_module_file(info, folder / "module.tar.gz")
            >>> app.get_module(module_id).versions[0].version
            '1.0.0'
        """
        opening = pb.UploadModuleFileRequest(module_file_info=module_file_info)
        from viam_sync.transfer.upload.source import ProgressChunks, upload_source  # only of use here

        with Progress(progress) as shown, upload_source("file", file) as contents:
            # A file that cannot be read is found here, before anything is sent.
            pieces = ProgressChunks(contents, shown.advance)
            shown.begin(contents.size)

            def requests() -> Iterator[pb.UploadModuleFileRequest]:
                yield opening
                for piece in pieces:
                    yield pb.UploadModuleFileRequest(file=piece)

            response: pb.UploadModuleFileResponse = self._stream_unary(
                methods.UPLOAD_MODULE_FILE, requests if pieces.repeatable else requests(), timeout
            )
        return response.url

    def iter_registry_items(
        self,
        organization_id: Optional[str] = None,
        *,
        types: Sequence[packages_pb.PackageType.ValueType] = (),
        visibilities: Sequence[pb.Visibility.ValueType] = (),
        platforms: Sequence[str] = (),
        statuses: Sequence[pb.RegistryItemStatus.ValueType] = (),
        search_term: Optional[str] = None,
        public_namespaces: Sequence[str] = (),
        include_markdown_documentation: Optional[bool] = None,
        module_source_types: Sequence[pb.ModuleSourceType.ValueType] = (),
        module_languages: Sequence[pb.ModuleLanguage.ValueType] = (),
        show_owned_deprecated: Optional[bool] = None,
        limit: Optional[int] = None,
        prefetch: bool = True,
        timeout: Optional[float] = None,
    ) -> Pages[pb.RegistryItem]:
        """Go through all items of the registry that match.

        The caller sees the private items of its own organization and the public ones of all. As an answer says nothing
        of the next page, that is asked for by the ID of the last item.

        Args:
            organization_id: ID of the organization, a UUID; None for all.
            types: Types to return; empty for all.
            visibilities: Visibilities to return; empty for all.
            platforms: Platforms that the items must support, such as ``linux/arm64``; empty for all.
            statuses: Statuses to return; empty for all.
            search_term: Text to search for; None for all.
            public_namespaces: Namespaces to return items of; empty for all.
            include_markdown_documentation: Whether to include the documentation in Markdown.
            module_source_types: Kinds of module source to return; empty for all.
            module_languages: Programming languages of modules to return; empty for all.
            show_owned_deprecated: Whether to return deprecated items of the caller's organization too.
            limit: How many items at most; None for all.
            prefetch: Whether to fetch the next page in a thread while the caller works on this one.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            An iterator over the items; nothing is asked before the first one is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``limit`` is negative.
            NotFoundError: While iterating, if there is no such organization.
            GRPCError: While iterating, if the service refuses a page or cannot be reached; a subclass says which.

        Example:
            >>> [item.name for item in app.iter_registry_items(sandbox.organization_id, search_term="soil")]
            ['soil-sensor']
        """
        request = pb.ListRegistryItemsRequest(
            organization_id=organization_id,
            types=types,
            visibilities=visibilities,
            platforms=platforms,
            statuses=statuses,
            search_term=search_term,
            public_namespaces=public_namespaces,
            include_markdown_documentation=include_markdown_documentation,
            module_source_types=module_source_types,
            module_languages=module_languages,
            show_owned_deprecated=show_owned_deprecated,
        )
        return _REGISTRY_ITEMS.pages(self._unary_unary, request, limit=limit, prefetch=prefetch, timeout=timeout)
